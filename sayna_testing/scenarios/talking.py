"""Whose turn it is: who begins, who waits, who breaks in, and what when nobody says anything."""

from __future__ import annotations

from sayna_testing.scenarios.model import ANSWERS, GREETED, Lines, Recipe
from sayna_testing.scripts import After, Agent, Says, Turn

_STOPS = Agent(clear=True, within=0.3)
_ASKS_AGAIN = Turn(agent=Agent(within=15.0))


def _breaks_in(text: str, delay: float) -> Turn:
    after = After(event="speech_started", delay=delay)
    return Turn(after=after, caller=Says(text=text), agent=_STOPS)


def _greeting(_: Lines) -> tuple[Turn, ...]:
    return (Turn(agent=Agent(within=3.0)),)


def _silence(_: Lines) -> tuple[Turn, ...]:
    return (GREETED, _ASKS_AGAIN)


def _dead_air(lines: Lines) -> tuple[Turn, ...]:
    return (GREETED, Turn(caller=Says(text=lines.request), agent=ANSWERS), _ASKS_AGAIN)


def _barge_in(lines: Lines) -> tuple[Turn, ...]:
    return (GREETED, _breaks_in(lines.change, 0.4), Turn(agent=ANSWERS))


def _double_barge_in(lines: Lines) -> tuple[Turn, ...]:
    return (
        *_barge_in(lines),
        _breaks_in(lines.detail, 0.2),
        Turn(agent=ANSWERS),
    )


def _protected(lines: Lines) -> tuple[Turn, ...]:
    """What is said into protected speech is swallowed (websocket.md 7.2), what follows is not."""
    over = Turn(after=After(event="speech_started", delay=0.3), caller=Says(text=lines.change))
    return (GREETED, over, Turn(wait=1.0, caller=Says(text=lines.request), agent=ANSWERS))


RECIPES = (
    Recipe("greeting", "the agent speaks first, within 3 s", _greeting),
    Recipe("silence-after-greeting", "a caller who says nothing is asked again", _silence),
    Recipe("dead-air", "a caller who falls silent is asked again within 15 s", _dead_air),
    Recipe("barge-in", "the agent stops within 300 ms of the first word, and answers", _barge_in),
    Recipe("rapid-double-barge-in", "the agent stops the second time too", _double_barge_in),
    Recipe("speech-into-the-protected-window", "what is said afterwards is answered", _protected),
)

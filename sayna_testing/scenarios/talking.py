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
    Recipe(
        "greeting",
        _greeting,
        caller="says nothing yet",
        shows="the agent speaks first, within 3 s",
        catches="waits for participant_connected",
    ),
    Recipe(
        "silence-after-greeting",
        _silence,
        caller="says nothing at all",
        shows="a caller who says nothing is asked again",
        catches="never asks whether anybody is there",
    ),
    Recipe(
        "dead-air",
        _dead_air,
        caller="asks for something, then says nothing more",
        shows="a caller who falls silent is asked again within 15 s",
        catches="never asks whether anybody is there",
    ),
    Recipe(
        "barge-in",
        _barge_in,
        caller="talks over the agent",
        shows="the agent stops within 300 ms of the first word, and answers",
        catches="talks over the caller",
    ),
    Recipe(
        "rapid-double-barge-in",
        _double_barge_in,
        caller="talks over the agent, and over its answer too",
        shows="the agent stops the second time too",
        catches="stops only once",
    ),
    Recipe(
        "speech-into-the-protected-window",
        _protected,
        caller="talks over speech that may not be interrupted, then speaks",
        shows="what is said afterwards is answered",
        catches="is deaf after protected speech",
    ),
)

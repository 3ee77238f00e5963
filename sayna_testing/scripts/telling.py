"""A played script as a conversation to read: when, who, what, and how each turn ended."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sayna_testing.scripts.outcome import Outcome, Said, TurnResult

_MARKS = {"passed": "ok", "failed": "FAILED", "not run": "not run"}
_TEXT = 66


def tell(outcome: Outcome) -> Iterator[str]:
    """Lines of text: the conversation, each turn with its mark, then why it failed."""
    yield outcome.script.name
    yield ""
    for result in outcome.turns:
        yield from _turn(result)
    yield ""
    for number, result in enumerate(outcome.turns):
        if result.status == "failed":
            yield f"{outcome.script.where(number)}: turn {number + 1} failed"
            yield from result.reason.splitlines()
            yield ""


def _turn(result: TurnResult) -> Iterator[str]:
    rows = [row for said in result.said for row in _spoken(said)]
    if result.status == "not run":
        rows = [f"{'':>10}{result.turn.caller.text if result.turn.caller else ''}"]
    yield from rows[:-1]
    last = rows[-1] if rows else ""
    yield f"{last:<{_TEXT + 20}}{_MARKS[result.status]}"


def _spoken(said: Said) -> Iterator[str]:
    first, *rest = textwrap.wrap(said.text, _TEXT)
    yield f"{_clock(said.at):>9}  {said.who:<6}  {first}"
    for more in rest:
        yield f"{'':>19}{more}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"

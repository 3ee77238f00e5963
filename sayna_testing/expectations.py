"""What a test may expect of a text or an entry, and what it is told when that did not come true."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sayna_testing.report.text import timeline
from sayna_testing.server.journal import Entry

Pattern = str | re.Pattern[str]


class ExpectationError(AssertionError):
    """What was expected did not happen in time: says what, what came nearest, and the timeline.

    `summary` is the text without the timeline, `nearest` the entry that came nearest, if any.
    """

    def __init__(self, message: str, *, summary: str = "", nearest: Entry | None = None) -> None:
        super().__init__(message)
        self.summary = summary or message
        self.nearest = nearest


class _Caught(Protocol):
    """What pytest hands over of an error."""

    @property
    def value(self) -> BaseException:
        """The error."""
        ...


def only_ours(caught: _Caught) -> bool:
    """For `__tracebackhide__`: an unmet expectation is shown at the line of the test."""
    return isinstance(caught.value, ExpectationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A demand on a text: all of it, a part of it (in any case), a pattern found in it."""

    equals: str | None = None
    contains: Pattern | None = None
    matches: Pattern | None = None

    def __call__(self, text: str) -> bool:
        """Whether the text meets every demand."""
        return not self.reasons(text)

    def reasons(self, text: str) -> list[str]:
        """Why the text does not do, a clause a demand; empty when it does."""
        failed: list[str] = []
        if self.equals is not None and text != self.equals:
            failed.append(f'is not "{self.equals}"')
        if isinstance(self.contains, str) and self.contains.casefold() not in text.casefold():
            failed.append(f'no "{self.contains}" in it')
        failed.extend(
            f"nothing in it matches {pattern.pattern!r}"
            for pattern in (self.matches, self.contains)
            if isinstance(pattern, re.Pattern) and not pattern.search(text)
        )
        if isinstance(self.matches, str) and not re.search(self.matches, text, re.IGNORECASE):
            failed.append(f"nothing in it matches {self.matches!r}")
        return failed

    def __str__(self) -> str:
        demands = (
            ("exactly", self.equals),
            ("containing", self.contains),
            ("matching", self.matches),
        )
        return " ".join(
            f'{word} "{demand.pattern if isinstance(demand, re.Pattern) else demand}"'
            for word, demand in demands
            if demand is not None
        )


def failure(
    expected: str,
    entries: Iterable[Entry],
    *,
    nearest: Entry | None = None,
    reason: str = "",
    where: str = "",
) -> ExpectationError:
    """The error for an unmet expectation: what was expected, the nearest miss, the timeline."""
    lines = [f"expected: {expected}" + (f"        {where}" if where else "")]
    if nearest is None:
        lines.append("nearest : nothing of that kind came")
    else:
        shown = timeline([nearest])[0].split(maxsplit=1)[1]
        why = f"   {reason}" if reason else ""
        lines.append(f"nearest : {shown} at {nearest.at:+.3f} s{why}")
    summary = "\n".join(lines)
    message = "\n".join([summary, *timeline(entries, mark=nearest)])
    return ExpectationError(message, summary=summary, nearest=nearest)

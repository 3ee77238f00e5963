"""How a played script ended, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sayna_testing.expectations import ExpectationError, only_ours
from sayna_testing.scripts.model import Script, Turn
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours

Status = Literal["passed", "failed", "not run"]
Who = Literal["caller", "agent"]


@dataclass(frozen=True, slots=True)
class Said:
    """Something said or done in a turn: when (seconds of the journal), by whom, in words."""

    at: float
    who: Who
    text: str


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How one turn ended, what was said in it, and why it failed.

    `summary` is the reason without the timeline, `nearest` the entry that came nearest.
    """

    turn: Turn
    status: Status
    said: tuple[Said, ...] = ()
    reason: str = ""
    summary: str = ""
    nearest: Entry | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A played script: its turns and what the journal holds; a turn not run is never a pass."""

    script: Script
    turns: tuple[TurnResult, ...]
    entries: tuple[Entry, ...]

    @property
    def passed(self) -> bool:
        """Whether every turn passed."""
        return all(result.status == "passed" for result in self.turns)

    @property
    def duration(self) -> float:
        """The length of the conversation in seconds of its own time."""
        return max((entry.at for entry in self.entries), default=0.0)

    def check(self) -> None:
        """Raise ExpectationError for the turn that failed, if one did."""
        for number, result in enumerate(self.turns):
            if result.status == "failed":
                where = self.script.where(number)
                raise ExpectationError(
                    f"{where}: {result.reason}",
                    summary=f"{where}: {result.summary}",
                    nearest=result.nearest,
                )

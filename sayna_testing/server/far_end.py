"""Who picks up a number that Sayna calls or transfers to (rest.md 14.2, 14.3)."""

from dataclasses import dataclass
from typing import Literal, get_args

Outcome = Literal["answers", "busy", "no answer"]

RINGING = 30.0
"""Seconds a call rings before LiveKit gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FarEnd:
    """Who picks up a number: `after` so many seconds it answers or is busy."""

    outcome: Outcome = "answers"
    after: float = 0.0

    def __post_init__(self) -> None:
        if self.outcome not in get_args(Outcome):
            known = ", ".join(map(repr, get_args(Outcome)))
            raise ValueError(f"outcome is one of {known}, got {self.outcome!r}")
        if not self.after >= 0:
            raise ValueError(f"after is a number of seconds, got {self.after!r}")

    @property
    def rings(self) -> float:
        """Seconds until the outcome is known."""
        return RINGING if self.outcome == "no answer" else self.after

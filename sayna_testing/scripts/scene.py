"""Where a script plays: the caller, the server around it, and how far the conversation has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sayna_testing.calls.caller import Caller
from sayna_testing.expectations import only_ours
from sayna_testing.scripts.model import Fault
from sayna_testing.scripts.outcome import Said, Who
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours


class Stage(Protocol):
    """What a script needs of a server beside its caller."""

    async def fault(self, caller: Caller, fault: Fault) -> None:
        """Let something go wrong for a caller."""
        ...

    async def next_caller(self, caller: Caller) -> Caller:
        """The same person in the session that follows a lost one; raises ExpectationError."""
        ...


@dataclass(slots=True)
class Scene:
    """How far the conversation has come.

    `since` is the number of the journal's entry that anchors and acts are looked for from;
    `heard_out` is when the speech ended that the turn before listened to; `broken_into` tells that
    the next turn begins in the middle of the agent's speech.
    """

    caller: Caller
    stage: Stage
    since: int = 0
    first_interim: float = 0.0
    heard_out: float | None = None
    broken_into: bool = False
    past: tuple[Entry, ...] = ()
    said: list[Said] = field(default_factory=list[Said])

    @property
    def now(self) -> float:
        """The time, in seconds of the journal."""
        return self.caller.journal.now

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the journal holds about this conversation, the sessions before included."""
        return (*self.past, *self.caller.entries)

    async def reconnects(self) -> None:
        """Go on with the session that follows a lost one."""
        caller = await self.stage.next_caller(self.caller)
        self.past, self.caller = self.entries, caller

    def skip(self, match: Callable[[Entry], bool]) -> None:
        """Let the next look start behind the last match so far."""
        found = [entry.index for entry in self.entries if match(entry)]
        self.since = max(self.since, *(index + 1 for index in found[-1:]), 0)

    def note(self, who: Who, text: str, at: float | None = None) -> None:
        """Remember something said, for whoever reads the outcome."""
        self.said.append(Said(self.now if at is None else at, who, text))

    def told(self) -> tuple[Said, ...]:
        """What was noted since the last call."""
        said, self.said = tuple(self.said), []
        return said

    async def sees(
        self,
        match: Callable[[Entry], bool],
        *,
        within: float,
        expected: str = "",
        nearest: Callable[[Entry], bool] | None = None,
        words: str = "",
    ) -> Entry:
        """The first match since the last one, which the next look starts behind."""
        entry = await self.caller.sees(
            match, start=self.since, within=within, expected=expected, nearest=nearest, words=words
        )
        self.since = entry.index + 1
        return entry

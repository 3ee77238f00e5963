"""Where a script plays: the caller, the server around it, and how far the conversation has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sayna_testing.calls.caller import Caller
from sayna_testing.expectations import only_ours
from sayna_testing.scripts.outcome import Said, Who
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours


class Stage(Protocol):
    """What a script needs of a server beside its caller."""

    async def fault(self, name: str, options: dict[str, str | int | float | bool]) -> None:
        """Let something go wrong."""
        ...

    async def next_caller(self) -> Caller:
        """The caller of the session that follows a lost one."""
        ...


@dataclass(slots=True)
class Scene:
    """`since` is the number of the journal's entry that anchors and acts are looked for from."""

    caller: Caller
    stage: Stage
    since: int = 0
    first_interim: float = 0.0
    said: list[Said] = field(default_factory=list[Said])

    @property
    def now(self) -> float:
        """The time, in seconds of the journal."""
        return self.caller.journal.now

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

"""What a scenario is, and the words that callers say in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal, Protocol

from sayna_testing.expectations import only_ours
from sayna_testing.scripts import Agent as Demand
from sayna_testing.scripts import Outcome, Script, Turn
from sayna_testing.scripts.staging import Agent

__tracebackhide__ = only_ours

Door = Literal["any", "call", "session"]
"""What a scenario needs: nothing in particular, a telephone call, or a session without a room."""

ANSWERS = Demand()
"""The agent says something within 5 s and is heard out."""
GREETED = Turn(agent=ANSWERS)
"""The agent begins the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What the caller says, to be put into the words that an agent under test can answer.

    Each is a complete utterance of several words, `word` is a single one, `human` asks for a
    transfer; `sorry` is a pattern for what the agent says when that is refused.
    """

    request: str = "I would like to book a table"
    detail: str = "It is for four people"
    change: str = "No, wait a moment"
    word: str = "Yes"
    human: str = "Can I speak to a person please"
    sorry: str = r"sorry|unfortunately|cannot|can't|unable|nobody|not available|busy"


class Server(Protocol):
    """What plays a script."""

    async def play(self, script: Script, agent: Agent | None = None) -> Outcome:
        """Play it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A situation that agents must cope with.

    `caller` is what the caller does or meets, `shows` what is asked of the agent, `catches` what a
    flawed agent does instead: each continues the sentence that "the caller" or "it" begins.
    """

    name: str
    caller: str
    shows: str
    catches: str
    turns: tuple[Turn, ...]
    door: Door = "any"

    def __str__(self) -> str:
        return self.name

    @property
    def script(self) -> Script:
        """The scenario as a script, to be played, changed or written to a file."""
        return Script(name=self.name, turns=self.turns)

    async def play(self, server: Server, agent: Agent | None = None) -> Outcome:
        """Play it against an agent, as `FakeSaynaServer.play` does; raises ExpectationError."""
        return await server.play(self.script, agent)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A scenario whose lines are still open."""

    name: str
    turns: Callable[[Lines], tuple[Turn, ...]]
    _: KW_ONLY
    caller: str
    shows: str
    catches: str
    door: Door = "any"

    def __call__(self, lines: Lines) -> Scenario:
        """The scenario with these lines."""
        return Scenario(
            name=self.name,
            caller=self.caller,
            shows=self.shows,
            catches=self.catches,
            turns=self.turns(lines),
            door=self.door,
        )

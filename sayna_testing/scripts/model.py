"""A script as values: the same shape in TOML and in Python."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from sayna_testing.calls.speech import Knobs
from sayna_testing.expectations import Text
from sayna_testing.scripts.durations import Duration
from sayna_testing.scripts.faults import NAMES, check_options, checked_name

Anchor = Literal[
    "ready",
    "speak",
    "speech_started",
    "speech_ended",
    "clear",
    "interim",
    "final",
    "message",
    "transfer",
    "loading_started",
    "loading_stopped",
]
"""What a turn can wait for, looked for from the end of the previous turn's match on.

`ready`: a session is set up. `speak`, `clear`, `message`, `transfer`, `loading_started`,
`loading_stopped`: the agent sent that command. `speech_started`, `speech_ended`: the agent's
speech begins or ends at the caller's ear, that of the turn before or the next. `interim`,
`final`: the agent was given one.
"""

Command = Literal[
    "speak", "clear", "send_message", "sip_transfer", "loading_start", "loading_stop", "audio"
]
"""What an agent sends, by the names of the wire."""

Unwanted = Literal[Command, "repetition"]
"""What an agent must not send; `repetition`: the same text said twice in a turn."""

Pace = Annotated[float, Field(ge=80, le=320)]


class Part(BaseModel):
    """A piece of a script: no unknown keys, no change after it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Person(Part):
    """Who calls: `wpm` is the pace in words a minute; numbers are for calls by telephone."""

    wpm: Pace = 160
    from_number: Annotated[str, Field(alias="from")] = "+447700900123"
    to_number: Annotated[str, Field(alias="to")] = "+442079460000"


class Says(Part):
    """Something the caller says, and how the recogniser reports it.

    `hesitation` is a pause before each word. `late` delays the final after the last word,
    `duplicate` repeats it, `end_of_speech = false` leaves the end to the server's timers.
    `interims` are off, one a word, or exactly these texts.
    """

    text: Annotated[str, Field(min_length=1)]
    wpm: Pace | None = None
    hesitation: Duration = 0.0
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    interims: bool | tuple[str, ...] = True
    late: Duration = 0.0
    duplicate: bool = False
    end_of_speech: bool = True

    def manner(self) -> Knobs:
        """What differs from the caller's usual manner, for `Caller.says`."""
        given = self.model_dump(exclude={"text"}, exclude_defaults=True)
        return cast("Knobs", given)


class TextMatch(Part):
    """A demand on a text; without any, every text will do."""

    equals: str | None = None
    contains: str | None = None
    matches: str | None = None

    @property
    def text(self) -> Text:
        """The demand as a predicate."""
        return Text(equals=self.equals, contains=self.contains, matches=self.matches)

    @property
    def given(self) -> bool:
        """Whether anything is demanded."""
        return any(demand is not None for demand in (self.equals, self.contains, self.matches))

    @model_validator(mode="after")
    def _pattern_compiles(self) -> Self:
        try:
            re.compile(self.matches or "")
        except re.error as error:
            raise ValueError(f"matches: expected a regular expression: {error}") from None
        return self


class MessageMatch(TextMatch):
    """A demand on a data message of the agent."""

    topic: str | None = None
    role: str | None = None


class Agent(TextMatch):
    """What the agent must do next: say something, or exactly one of the other things.

    `within` counts from the caller's last final; for `clear` from the first interim.
    `any` is fulfilled by one of its texts. `partial` is content once the words have sounded.
    """

    any: Annotated[tuple[TextMatch, ...], Field(min_length=1)] | None = None
    partial: bool = False
    clear: Literal[True] | None = None
    message: MessageMatch | None = None
    transfer: str | None = None
    loading: Literal["start", "stop"] | None = None
    silent: Duration | None = None
    hangs_up: Literal[True] | None = None
    within: Duration = 5.0

    @property
    def act(self) -> str:
        """Which of the things it is: `speech` or the name of its key."""
        return next((name for name in _ACTS if getattr(self, name) is not None), "speech")

    @property
    def choices(self) -> tuple[Text, ...]:
        """The texts of which one must be said."""
        return tuple(choice.text for choice in self.any) if self.any else (self.text,)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [name for name in _ACTS if getattr(self, name) is not None]
        if self.given:
            given.append("equals, contains or matches")
        if self.any is not None:
            given.append("any")
        if len(given) > 1:
            raise ValueError(f"expected one thing, got {' and '.join(given)}")
        return self


_ACTS = ("clear", "message", "transfer", "loading", "silent", "hangs_up")


class After(Part):
    """An anchor to wait for, and how long to wait from it on."""

    event: Anchor
    delay: Duration = 0.0
    within: Duration = 5.0


class Message(Part):
    """A data message of somebody in the room."""

    text: str
    topic: str | None = None
    sender: Annotated[str | None, Field(alias="from")] = None


class Participants(Part):
    """Somebody who comes or goes, by identity."""

    joins: str | None = None
    leaves: str | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if (self.joins is None) == (self.leaves is None):
            raise ValueError("expected either joins or leaves")
        return self


class Fault(Part):
    """Something that goes wrong: a fault of `server.faults` with its numbers and texts, or at once.

    At once: `line_drops`, `server_closes` (with `code`), `recognition_fails` (with `text`);
    `transfer_refused` (with `status`, `text`) when the agent asks for one.
    """

    name: Annotated[str, AfterValidator(checked_name), Field(json_schema_extra={"enum": [*NAMES]})]
    options: Annotated[dict[str, str | int | float | bool], Field(alias="with")] = {}

    @model_validator(mode="after")
    def _takes_its_options(self) -> Self:
        check_options(self.name, self.options)
        return self


def _saying(value: Any) -> Any:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict | Says):
        raise ValueError(f"expected a text or a table, got {value!r}")  # noqa: TRY004 - pydantic's
    return cast("dict[str, Any] | Says", value)


Saying = Annotated[Says, BeforeValidator(_saying, json_schema_input_type=str | Says)]


class Turn(Part):
    """One turn, in this order: wait, anchor, fault, participants, message, speech, agent, hang-up.

    `never` names what the agent must not send from the start of the turn to its end; `repeat` plays
    the turn so many times.
    """

    wait: Duration | None = None
    after: After | None = None
    fault: Fault | None = None
    participant: Participants | None = None
    message: Message | None = None
    noise: Duration | None = None
    caller: Saying | None = None
    agent: Agent | None = None
    never: tuple[Unwanted, ...] = ()
    hang_up: bool = False
    reconnect: bool = False
    repeat: Annotated[int, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not any(getattr(self, name) for name in _STEPS):
            raise ValueError(f"expected at least one of {', '.join(_STEPS)}")
        return self


_STEPS = (
    "wait",
    "after",
    "fault",
    "participant",
    "message",
    "noise",
    "caller",
    "agent",
    "hang_up",
    "reconnect",
)


class Script(Part):
    """A conversation: who calls, and its turns in order."""

    name: Annotated[str, Field(min_length=1)]
    caller: Person = Person()
    turns: Annotated[tuple[Turn, ...], Field(min_length=1, alias="turn")]
    _lines: tuple[str, ...] = PrivateAttr(default=())

    def __eq__(self, other: object) -> bool:
        # Where it was read from is no part of a script.
        return isinstance(other, Script) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def _said(self) -> tuple[object, ...]:
        return (self.name, self.caller, self.turns)

    def where(self, number: int) -> str:
        """The place of turn `number` (from 0): `file:line`, else its number in the script."""
        return self._lines[number] if self._lines else f"turn {number + 1} of {self.name!r}"

    def located(self, lines: tuple[str, ...]) -> Self:
        """The same script, its turns known to stand at these places."""
        self._lines = lines
        return self

"""A caller: says things, hears what the agent says, and remembers both."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Unpack

from sayna_testing.calls.ear import Utterance
from sayna_testing.calls.line import Line
from sayna_testing.calls.speech import Knobs, Manner, steps
from sayna_testing.expectations import ExpectationError, Pattern, Text, failure, only_ours
from sayna_testing.server.awaiting import until
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.session import DEFAULT_TIMEOUT, Delivered, Session

__tracebackhide__ = only_ours

_GRID = 0.01
"""Seconds to which the moment is found at which words have sounded."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something the caller said, from when to when, and what came of it.

    `recognised` is when the first piece of it was.
    """

    text: str
    start: float
    recognised: float
    end: float
    delivered: Delivered


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One turn of the conversation: who spoke, what, from when to when."""

    who: Literal["caller", "agent"]
    text: str
    start: float
    end: float


class Caller(ABC):
    """The person at the other end: speaks at `wpm` words a minute, hears what really sounds.

    Moments are seconds of the journal, limits are seconds of the test's clock.
    """

    def __init__(self, line: Line, *, wpm: float = 160) -> None:
        self._line = line
        self.wpm = wpm
        self._matched = 0.0
        self._spoke: list[Spoken] = []

    @abstractmethod
    async def _recognised(
        self, text: str, *, is_final: bool, is_speech_final: bool, confidence: float
    ) -> str | None:
        """Give the agents a result; None when one got it, else why it was swallowed."""

    @property
    @abstractmethod
    def session(self) -> Session:
        """The session of the agent at the other end; raises LookupError while there is none."""

    @abstractmethod
    def _concerns(self, entry: Entry) -> bool:
        """Whether an entry of the journal belongs to this call."""

    @abstractmethod
    def _sounds(self, text: str, manner: Manner) -> None:
        """Let what is said sound where somebody listens to the sound itself."""

    @abstractmethod
    async def hangs_up(self) -> None:
        """End the call from this side."""

    @abstractmethod
    async def hung_up(self, *, within: float = DEFAULT_TIMEOUT) -> None:
        """Wait until the agent has ended the call; raises ExpectationError when it has not."""

    @abstractmethod
    async def sends(
        self, message: str | bytes, topic: str | None = None, *, sender: str | None = None
    ) -> None:
        """Send a data message to the room, as somebody else if `sender` says so."""

    @abstractmethod
    async def others(self, *, joins: str | None = None, leaves: str | None = None) -> None:
        """Let somebody else come to the room or leave it."""

    # Speaking

    async def says(self, text: str, **knobs: Unpack[Knobs]) -> Delivered:
        """Wait until the line is quiet, then say something at speaking pace.

        The agent gets interims word by word, then a final. `hesitation` is a pause before each
        word; `interims` are off, one a word, or exactly these texts; `late` delays the final,
        `duplicate` repeats it; with `end_of_speech=False` the server's timers end the utterance
        (websocket.md 8.3). Returns what was delivered.
        """
        await self.quiet()
        return await self.speaks(text, **knobs)

    async def interrupts(
        self,
        text: str,
        *,
        after: float = 0.0,
        within: float = DEFAULT_TIMEOUT,
        **knobs: Unpack[Knobs],
    ) -> Delivered:
        """Say something `after` seconds into what the agent is saying now, else says next.

        Raises ExpectationError when the agent does not speak within `within` seconds.
        """
        await self.agent_speaks(within=within, after=after)
        return await self.speaks(text, **knobs)

    async def speaks(self, text: str, **knobs: Unpack[Knobs]) -> Delivered:
        """Say something at once, over whatever sounds; else like `says`."""
        manner = replace(Manner(wpm=self.wpm), **knobs)
        self._sounds(text, manner)
        start = self._line.now
        interims: list[str] = []
        dropped: list[str] = []
        final: str | None = None
        recognised: float | None = None
        for step in steps(text, manner):
            await asyncio.sleep(step.pause)
            recognised = self._line.now if recognised is None else recognised
            why = await self._recognised(
                step.text,
                is_final=step.is_final,
                is_speech_final=step.is_final and manner.end_of_speech,
                confidence=manner.confidence,
            )
            if why is not None:
                dropped.append(why)
            elif step.is_final:
                final = step.text
            else:
                interims.append(step.text)
        delivered = Delivered(tuple(interims), final, tuple(dropped))
        self._spoke.append(Spoken(text, start, recognised or start, self._line.now, delivered))
        return delivered

    async def agent_speaks(self, *, within: float = DEFAULT_TIMEOUT, after: float = 0.0) -> None:
        """Wait for the moment `after` seconds into what the agent is saying now, else says next."""
        begin = self._line.now
        while (start := self._line.sounding(self._line.now)) is None:
            if not await self._line.pause(max(begin + within - self._line.now, 0.0)):
                raise self._failure("the agent to speak", within, begin, ())
        if (left := start + after - self._line.now) > 0:
            await asyncio.sleep(left)

    async def quiet(self) -> None:
        """Wait until all that the agent sent has sounded."""
        await self._line.quiet()

    async def makes_noise(self, seconds: float) -> None:
        """Make a noise without words: empty interims, one a second (websocket.md 8.6)."""
        whole, rest = divmod(seconds, 1.0)
        for pause in (*[1.0] * int(whole), rest):
            await asyncio.sleep(pause)
            await self._recognised("", is_final=False, is_speech_final=False, confidence=0.0)

    async def stays_silent(self, seconds: float) -> None:
        """Say nothing for so long."""
        await asyncio.sleep(seconds)

    # Hearing

    async def hears(
        self, expected: Pattern, *, within: float = DEFAULT_TIMEOUT, partial: bool = False
    ) -> str:
        """Listen until the agent has said something with `expected` in it; returns all of it.

        `expected` is a part of the text, in any case, or a compiled pattern. The utterance has to
        begin within `within` seconds and is heard out (`partial`: until the words have sounded).
        Raises ExpectationError.
        """
        choices = (Text(contains=expected),)
        return (await self.listens(choices, within=within, partial=partial)).text

    async def listens(
        self, choices: Sequence[Text], *, within: float = DEFAULT_TIMEOUT, partial: bool = False
    ) -> Utterance:
        """Like `hears`, for any of several demands; returns the utterance with its times."""
        expected = f"the caller to hear {' or '.join(map(str, choices))}"
        with self.journal.waiting(f"{expected} within {within:g} s"):
            return await self._listen(choices, expected, within, partial=partial)

    async def _listen(
        self, choices: Sequence[Text], expected: str, within: float, *, partial: bool
    ) -> Utterance:
        begin = self._line.now
        while True:
            found = self._find(choices, begin + within)
            until = self._done(found, choices, partial=partial) if found else begin + within
            left = until - self._line.now
            if found and left <= 0:
                self._matched = until
                return found
            if left <= 0 or (not await self._line.pause(left) and found is None):
                raise self._failure(expected, within, begin, choices)

    def overlooks(self, before: float) -> None:
        """Hear only what begins from a moment on."""
        self._matched = max(self._matched, before)

    def _find(self, choices: Sequence[Text], deadline: float) -> Utterance | None:
        return next(
            (
                utterance
                for utterance in self._line.utterances()
                if self._matched <= utterance.start <= deadline
                and any(choice(utterance.text) for choice in choices)
            ),
            None,
        )

    def _done(self, found: Utterance, choices: Sequence[Text], *, partial: bool) -> float:
        """When the utterance is over, or when enough of it has sounded."""
        if not partial:
            return found.end
        low, high = found.start, found.end
        while high - low > _GRID:
            middle = (low + high) / 2
            heard = self._line.heard_by(middle)
            enough = heard and any(choice(heard[-1].text) for choice in choices)
            low, high = (low, middle) if enough else (middle, high)
        return high

    def _failure(
        self, expected: str, within: float, begin: float, choices: Sequence[Text]
    ) -> ExpectationError:
        """The error: the last thing the agent said since the wait began is the nearest."""
        entries = self.entries
        said = [e for e in entries if e.kind == "speak" and e.flow == ">"]
        nearest = said[-1] if said and choices else None
        reasons: list[str] = []
        if nearest is not None:
            text = str(nearest.data["text"])
            reasons.append(f"text: {'; '.join(choices[0].reasons(text)) or 'ok'}")
            late = nearest.at - begin - within
            reasons.append(f"timing: {f'{late:.3f} s too late' if late > 0 else 'ok'}")
        return failure(
            f"{expected} within {within:g} s", entries, nearest=nearest, reason="   ".join(reasons)
        )

    # Remembering

    @property
    def journal(self) -> Journal:
        """The journal of the server."""
        return self._line.journal

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the journal holds about this call."""
        return tuple(entry for entry in self.journal if self._concerns(entry))

    async def sees(
        self,
        match: Callable[[Entry], bool],
        *,
        expected: str = "",
        within: float = DEFAULT_TIMEOUT,
        start: int = 0,
        nearest: Callable[[Entry], bool] | None = None,
        words: str = "",
    ) -> Entry:
        """The first entry of this call from number `start` on that matches.

        `expected` (or `words`, with a limit of their own) and `nearest` put the error into words.
        Raises ExpectationError.
        """
        words = words or f"{expected} within {within:g} s"

        def unmet() -> ExpectationError:
            near = [e for e in self.entries if e.index >= start and nearest and nearest(e)]
            return failure(words, self.entries, nearest=near[-1] if near else None)

        return await until(
            self.journal,
            lambda entry: self._concerns(entry) and match(entry),
            expected=words,
            timeout=within,
            unmet=unmet,
            start=start,
        )

    @property
    def heard(self) -> tuple[Utterance, ...]:
        """What has sounded at this end by now; what was broken off is marked `cut`."""
        return self._line.heard_by(self._line.now)

    @property
    def spoke(self) -> tuple[Spoken, ...]:
        """What was said from this end."""
        return tuple(self._spoke)

    @property
    def turns(self) -> tuple[SpokenTurn, ...]:
        """The conversation in order: who spoke when."""
        agent = (SpokenTurn("agent", u.text, u.start, u.end) for u in self.heard)
        caller = (SpokenTurn("caller", s.text, s.start, s.end) for s in self._spoke)
        return tuple(sorted((*agent, *caller), key=lambda turn: turn.start))

    @property
    def latencies(self) -> tuple[float, ...]:
        """Seconds from the end of each thing said to the agent's answer; inf where none came.

        What was said on top of one another counts once, from the last word on.
        """
        starts = [utterance.start for utterance in self.heard]
        ends = [spoken.end for spoken in self._spoke if spoken.delivered]
        begins = [*(spoken.start for spoken in self._spoke if spoken.delivered), math.inf]
        answers: list[float] = []
        for end, following in zip(ends, begins[1:], strict=True):
            answer = next((start for start in starts if start >= end), math.inf)
            if answer < following or following == math.inf:
                answers.append(answer - end)
        return tuple(answers)

    def latency(self, percentile: float = 100) -> float:
        """The latency that so many percent of the answers keep (100: the worst), in seconds.

        inf when there is nothing to measure, so that a limit on it fails.
        """
        ordered = sorted(self.latencies)
        rank = math.ceil(percentile / 100 * len(ordered))
        return ordered[max(rank, 1) - 1] if ordered else math.inf

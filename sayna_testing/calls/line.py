"""The line to a caller: what sounds at its end, read from the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from sayna_testing.calls.ear import Ear, Utterance
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.session import Session

DEFAULT_RATE = 24000
"""Hertz of speech where the config gives none (websocket.md 4.2.2)."""


class Line:
    """Feeds a caller's ear from the journal; `plain` and `in_room` are the two kinds there are.

    Times are seconds of the journal.
    """

    def __init__(
        self,
        journal: Journal,
        steps: Mapping[tuple[str, str], Callable[[Line, Entry], None]],
        concerns: Callable[[Entry], bool],
        form: Callable[[Entry], tuple[int, str]],
        since: float = 0.0,
    ) -> None:
        self.journal = journal
        self._steps = steps
        self._concerns = concerns
        self._form = form
        self._since = since
        self._read = 0
        self._ear: Ear | None = None

    @classmethod
    def plain(cls, session: Session, journal: Journal) -> Line:
        """A client that plays what it gets in real time and flushes at its own `clear`."""

        def form(_: Entry) -> tuple[int, str]:
            tts = session.config["tts_config"]
            return tts["sample_rate"] or DEFAULT_RATE, tts["audio_format"] or "linear16"

        return cls(journal, _PLAIN, lambda entry: entry.session == session.key, form)

    @classmethod
    def in_room(cls, room: str, journal: Journal) -> Line:
        """What reaches the buffer of a room, emptied when Sayna clears it (websocket.md 6.5).

        What has sounded there by now was not heard.
        """

        def form(entry: Entry) -> tuple[int, str]:
            return int(entry.data["sample_rate"]), "linear16"

        here = journal.now
        return cls(journal, _IN_ROOM, lambda entry: entry.data.get("room") == room, form, here)

    @property
    def now(self) -> float:
        """The time."""
        return self.journal.now

    @property
    def quiet_at(self) -> float:
        """When all that was sent so far has sounded."""
        self._catch_up()
        return self._ear.end if self._ear else 0.0

    def utterances(self) -> tuple[Utterance, ...]:
        """What the agent said, also what has not sounded yet."""
        self._catch_up()
        return self._ear.utterances if self._ear else ()

    def heard_by(self, at: float) -> tuple[Utterance, ...]:
        """What has sounded by a time; the last may be cut."""
        self._catch_up()
        return self._ear.heard_by(at) if self._ear else ()

    def sounding(self, at: float) -> float | None:
        """Since when, or from when on, the agent is heard at or after a time."""
        self._catch_up()
        return self._ear.sounding(at) if self._ear else None

    async def quiet(self) -> None:
        """Wait until all that was sent has sounded."""
        while (left := self.quiet_at - self.now) > 0:
            await self.pause(left)

    async def pause(self, seconds: float) -> bool:
        """Wait so long, or until something new comes; tells whether something did."""
        future = self.journal.first(self._is_step, start=self._read)
        try:
            come, _ = await asyncio.wait({asyncio.wrap_future(future)}, timeout=seconds)
            return bool(come)
        finally:
            self.journal.forget(future)

    def _is_step(self, entry: Entry) -> bool:
        return (entry.flow, entry.kind) in self._steps and self._concerns(entry)

    def _catch_up(self) -> None:
        new = self.journal.since(self._read)
        self._read += len(new)
        for entry in new:
            step = self._steps.get((entry.flow, entry.kind))
            if step is not None and self._concerns(entry):
                step(self, entry)

    def play(self, entry: Entry) -> None:
        """Let sound arrive."""
        if self._ear is None:
            rate, encoding = self._form(entry)
            self._ear = Ear(sample_rate=rate, encoding=encoding, since=self._since)
        self._ear.play(entry.at, entry.audio or b"")

    def clear(self, entry: Entry) -> None:
        """Drop what has not sounded yet."""
        if self._ear is not None:
            self._ear.clear(entry.at)


_PLAIN = {("<", "audio"): Line.play, (">", "clear"): Line.clear}
_IN_ROOM = {("*", "room_audio"): Line.play, ("*", "room_audio_cleared"): Line.clear}

"""Where audio stands on the time axis: frames arrive in bursts, ears hear them in real time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sayna_testing.server.journal import Entry

_JITTER = 0.25
"""Seconds by which a frame of a steady stream may be late and still belong to it."""

_SAMPLE_BYTES = {"linear16": 2, "pcm": 2, "mulaw": 1, "ulaw": 1, "alaw": 1}


class Form(NamedTuple):
    """What the bytes are: encoding and sample rate in Hz. `bytes_per_second` is 0 if unknown."""

    encoding: str
    sample_rate: int

    @property
    def bytes_per_second(self) -> int:
        """Bytes a second of mono audio; 0 for formats that do not tell."""
        return self.sample_rate * _SAMPLE_BYTES.get(self.encoding, 0)


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of audio without a gap: who spoke, from when (seconds), which bytes.

    `heard` is how many seconds of it were heard: less than `duration` after a barge-in.
    """

    who: Literal["caller", "agent"]
    start: float
    form: Form
    audio: bytes
    first: int
    last: int
    heard: float

    @property
    def duration(self) -> float:
        """Seconds of audio; 0 where the format does not tell."""
        rate = self.form.bytes_per_second
        return len(self.audio) / rate if rate else 0.0

    @property
    def end(self) -> float:
        """When the last of it would have been heard."""
        return self.start + self.duration


def clips(entries: Iterable[Entry]) -> tuple[Clip, ...]:
    """The audio of one session as heard: agent speech queues up and a `clear` drops the rest.

    A plain client plays what it gets in real time and empties its buffer when it sends `clear`
    (websocket.md 13.3); a `clear` that the server ignored (7.2) empties nothing.
    """
    mic, speech = _Stream("caller"), _Stream("agent")
    for entry in entries:
        if entry.kind == "config":
            mic.form, speech.form = forms(entry.data)
        elif entry.kind == "audio" and entry.audio:
            (mic if entry.flow == ">" else speech).add(entry, entry.audio)
        elif entry.kind == "clear" and entry.dropped is None:
            speech.cut(entry.at)
        elif entry.kind in ("tts_playback_complete", "speak"):
            speech.part()
    done = [stretch.clip() for stretch in (*mic.stretches, *speech.stretches)]
    return tuple(sorted(done, key=lambda clip: (clip.start, clip.first)))


def forms(config: dict[str, Any]) -> tuple[Form, Form]:
    """The form of mic audio and of speech that a `config` asks for (websocket.md 4.2.1, 4.2.2)."""
    stt: dict[str, Any] = config.get("stt_config") or {}
    tts: dict[str, Any] = config.get("tts_config") or {}
    return (
        Form(str(stt.get("encoding") or "linear16"), int(stt.get("sample_rate") or 16000)),
        Form(str(tts.get("audio_format") or "linear16"), int(tts.get("sample_rate") or 24000)),
    )


class _Stretch:
    def __init__(self, who: Literal["caller", "agent"], start: float, form: Form, first: int):
        self.who: Literal["caller", "agent"] = who
        self.start = start
        self.form = form
        self.first = self.last = first
        self.audio = bytearray()
        self.until: float | None = None

    @property
    def end(self) -> float:
        rate = self.form.bytes_per_second
        return self.start + (len(self.audio) / rate if rate else 0.0)

    def clip(self) -> Clip:
        end = self.end if self.until is None else self.until
        heard = round(max(end - self.start, 0.0), 6)
        return Clip(
            self.who, self.start, self.form, bytes(self.audio), self.first, self.last, heard
        )


class _Stream:
    """One direction of one session; a stretch ends at a gap, a cut, or an end of speech."""

    def __init__(self, who: Literal["caller", "agent"]) -> None:
        self.who: Literal["caller", "agent"] = who
        self.form = forms({})[0 if who == "caller" else 1]
        self.stretches: list[_Stretch] = []
        self._open: _Stretch | None = None
        self._free = 0.0

    def add(self, entry: Entry, audio: bytes) -> None:
        current = self._open
        slack = _JITTER if self.who == "caller" else 0.0
        if current is None or current.form != self.form or entry.at > current.end + slack:
            start = round(max(entry.at, self._free), 6)
            current = self._open = _Stretch(self.who, start, self.form, entry.index)
            self.stretches.append(current)
        current.audio += audio
        current.last = entry.index
        self._free = current.end

    def part(self) -> None:
        self._open = None

    def cut(self, at: float) -> None:
        for stretch in self.stretches:
            if stretch.until is None and stretch.end > at:
                stretch.until = max(at, stretch.start)
        self._free = min(self._free, at)
        self._open = None

"""Where audio stands on the time axis: frames arrive in bursts, ears hear them in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from sayna_testing.server.journal import Entry

Who: TypeAlias = Literal["caller", "agent"]

_JITTER = 0.25
"""Seconds by which a frame of a steady stream may be late and still belong to it."""

_SAMPLE_BYTES = {"linear16": 2, "pcm": 2, "mulaw": 1, "ulaw": 1, "alaw": 1}


class Form(NamedTuple):
    """What the bytes are: encoding and sample rate in Hz."""

    encoding: str
    sample_rate: int

    @property
    def bytes_per_second(self) -> int:
        """Bytes a second of mono audio; 0 for formats that do not tell."""
        return self.sample_rate * _SAMPLE_BYTES.get(self.encoding, 0)


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of audio without a gap: who spoke, from when (seconds), which bytes.

    `heard` is how many seconds of it were heard, less than `duration` after a barge-in; `first` is
    the number of the entry it begins with.
    """

    who: Who
    start: float
    form: Form
    audio: bytes
    first: int
    heard: float

    @property
    def duration(self) -> float:
        """Seconds of audio; 0 where the format does not tell."""
        rate = self.form.bytes_per_second
        return len(self.audio) / rate if rate else 0.0


def clips(entries: Iterable[Entry]) -> tuple[Clip, ...]:
    """The audio of one session as heard: agent speech queues up and a `clear` drops the rest.

    A plain client plays what it gets in real time and empties its buffer when it sends `clear`
    (websocket.md 13.3); a `clear` that the server ignored (7.2) empties nothing. In a room, audio
    is heard there and cleared there (6.5).
    """
    heard = _Heard()
    for entry in entries:
        react = _REACTIONS.get((entry.flow, entry.kind))
        if react is not None and entry.dropped is None and not entry.error:
            react(heard, entry)
    done = [stretch.clip() for stretch in (*heard.mic.stretches, *heard.speech.stretches)]
    return tuple(sorted(done, key=lambda clip: (clip.start, clip.first)))


def forms(config: dict[str, Any]) -> tuple[Form, Form]:
    """The form of mic audio and of speech under a `config` (websocket.md 4.2.1, 4.2.2).

    Only speech has defaults: mic audio of which nothing is said is of no known form.
    """
    stt: dict[str, Any] = config.get("stt_config") or {}
    tts: dict[str, Any] = config.get("tts_config") or {}
    return (
        Form(str(stt.get("encoding") or ""), int(stt.get("sample_rate") or 0)),
        Form(str(tts.get("audio_format") or "linear16"), int(tts.get("sample_rate") or 24000)),
    )


def form_of(entry: Entry, config: tuple[Form, Form]) -> Form:
    """The form of an entry's audio: audio in a room says its own rate, else the config rules."""
    if "sample_rate" in entry.data:
        return Form("linear16", int(entry.data["sample_rate"]))
    return config[0 if entry.flow == ">" else 1]


class _Stretch:
    def __init__(self, who: Who, start: float, form: Form, first: int) -> None:
        self.who: Who = who
        self.start = start
        self.form = form
        self.first = first
        self.audio = bytearray()
        self.until: float | None = None

    @property
    def end(self) -> float:
        rate = self.form.bytes_per_second
        return self.start + (len(self.audio) / rate if rate else 0.0)

    def clip(self) -> Clip:
        end = self.end if self.until is None else self.until
        heard = round(max(end - self.start, 0.0), 6)
        return Clip(self.who, self.start, self.form, bytes(self.audio), self.first, heard)


class _Stream:
    """One direction of one session; a stretch ends at a gap, a cut, or an end of speech."""

    def __init__(self, who: Who) -> None:
        self.who: Who = who
        self.stretches: list[_Stretch] = []
        self._open: _Stretch | None = None
        self._free = 0.0

    def add(self, entry: Entry, form: Form, slack: float = 0.0) -> None:
        current = self._open
        if current is None or current.form != form or entry.at > current.end + slack:
            start = round(max(entry.at, self._free), 6)
            current = self._open = _Stretch(self.who, start, form, entry.index)
            self.stretches.append(current)
        current.audio += entry.audio or b""
        self._free = current.end

    def part(self) -> None:
        self._open = None

    def cut(self, at: float) -> None:
        for stretch in self.stretches:
            if stretch.until is None and stretch.end > at:
                stretch.until = max(at, stretch.start)
        self._free = min(self._free, at)
        self._open = None


class _Heard:
    """Both directions of one session, moved on by its entries."""

    def __init__(self) -> None:
        self.mic, self.speech = _Stream("caller"), _Stream("agent")
        self._forms = forms({})

    def configured(self, entry: Entry) -> None:
        self._forms = forms(entry.data)

    def listened(self, entry: Entry) -> None:
        self.mic.add(entry, form_of(entry, self._forms), _JITTER)

    def spoke(self, entry: Entry) -> None:
        self.speech.add(entry, form_of(entry, self._forms))

    def parted(self, _: Entry) -> None:
        self.speech.part()

    def cleared(self, entry: Entry) -> None:
        self.speech.cut(entry.at)


_REACTIONS: dict[tuple[str, str], Callable[[_Heard, Entry], None]] = {
    (">", "config"): _Heard.configured,
    (">", "audio"): _Heard.listened,
    ("*", "caller_audio"): _Heard.listened,
    ("<", "audio"): _Heard.spoke,
    ("*", "room_audio"): _Heard.spoke,
    (">", "speak"): _Heard.parted,
    ("<", "tts_playback_complete"): _Heard.parted,
    (">", "clear"): _Heard.cleared,
    ("*", "room_audio_cleared"): _Heard.cleared,
}

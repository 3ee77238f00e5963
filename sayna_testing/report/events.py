"""What happened, an event a line: runs of audio frames folded into one, everything in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from sayna_testing.report.playback import Form, form_of, forms
from sayna_testing.server.journal import Entry

JSONObject: TypeAlias = dict[str, Any]

AUDIO = {"audio": "", "caller_audio": "of the caller ", "room_audio": "into the room "}
"""The kinds of entries that hold audio, and what is said of them before their length."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline: an entry, or neighbouring audio frames of one direction."""

    entries: tuple[Entry, ...]
    kind: str
    """The entry's kind as it is shown: `stt_result` reads `heard`."""
    detail: str

    @property
    def entry(self) -> Entry:
        """The first of its entries."""
        return self.entries[0]

    @property
    def until(self) -> float:
        """When the last of its entries came, in seconds."""
        return self.entries[-1].at

    @property
    def text(self) -> str:
        """Kind and detail, in columns, and why the server swallowed it if it did."""
        dropped = f"  (dropped: {self.entry.dropped})" if self.entry.dropped else ""
        return f"{self.kind:<9} {self.detail}{dropped}".rstrip()


def events(entries: Iterable[Entry]) -> tuple[Event, ...]:
    """The entries as events, in order."""
    return tuple(_events(entries))


def _events(entries: Iterable[Entry]) -> Iterator[Event]:
    known: dict[str, tuple[Form, Form]] = {}
    for run in _runs(entries):
        entry = run[0]
        if entry.kind == "config":
            known[entry.session] = forms(entry.data)
        if entry.kind in AUDIO:
            form = form_of(entry, known.get(entry.session) or forms({}))
            yield Event(run, "audio", f"{AUDIO[entry.kind]}{_audio(run, form)}")
        else:
            label, describe = _WORDS.get(entry.kind, (entry.kind, plain))
            yield Event(run, label, describe(entry.data))


def _runs(entries: Iterable[Entry]) -> Iterator[tuple[Entry, ...]]:
    """Audio that nothing else comes between as one run for each stream, all else alone."""
    for sounds, group in groupby(entries, lambda entry: entry.kind in AUDIO):
        if not sounds:
            yield from ((entry,) for entry in group)
            continue
        streams: dict[tuple[object, ...], list[Entry]] = {}
        for entry in group:
            key = (entry.session, entry.flow, entry.kind, entry.dropped, entry.error)
            streams.setdefault(key, []).append(entry)
        yield from (tuple(stream) for stream in streams.values())


def _audio(run: tuple[Entry, ...], form: Form) -> str:
    size = sum(len(entry.audio or b"") for entry in run)
    rate = form.bytes_per_second
    of = f" of {form.encoding}" if form.encoding else ""
    length = f"{size / rate:.2f} s" if rate else f"{size} bytes{of}"
    return f"{length} in {len(run)} frames" if len(run) > 1 else length


def plain(data: JSONObject) -> str:
    """A frame's own keys and values, long ones cut."""
    return " ".join(f"{key}={_short(value)}" for key, value in data.items() if key != "type")


def _short(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _close(data: JSONObject) -> str:
    return "" if data.get("code") is None else f"code={data['code']}"


def _config(data: JSONObject) -> str:
    shown = (
        ("stt", "stt_config", "provider"),
        ("tts", "tts_config", "provider"),
        ("room", "livekit", "room_name"),
    )
    parts = [
        f"{label}={data[section].get(key)}"
        for label, section, key in shown
        if isinstance(data.get(section), dict)
    ]
    return "  ".join(parts) or "control only"


def _stt_result(data: JSONObject) -> str:
    kind = "final" if data.get("is_final") else "interim"
    end = " (end of speech)" if data.get("is_speech_final") else ""
    return f'{kind} "{data.get("transcript", "")}"{end}'


def _speak(data: JSONObject) -> str:
    protected = "  (protected)" if data.get("allow_interruption") is False else ""
    return f'"{data.get("text", "")}"{protected}'


def _fault(data: JSONObject) -> str:
    return f"{data.get('fault')} at {data.get('at')}" if "at" in data else plain(data)


def _ready(data: JSONObject) -> str:
    room = data.get("livekit_room_name")
    return f'room="{room}"' if room else f'stream_id="{data.get("stream_id", "")}"'


def _webhook(data: JSONObject) -> str:
    answer = {"answered": data.get("status")} if "status" in data else {"error": data.get("error")}
    told = {"from": "from_phone_number", "to": "to_phone_number", "url": "url"}
    return plain({**{word: data[key] for word, key in told.items() if key in data}, **answer})


def _person(section: str) -> Callable[[JSONObject], str]:
    """Words for a frame that tells of one participant or of a track of one."""

    def describe(data: JSONObject) -> str:
        told: JSONObject = data[section] if isinstance(data.get(section), dict) else data
        return plain({"identity": told["identity"]} if "identity" in told else data)

    return describe


def _http(data: JSONObject) -> str:
    line = f"{data.get('method')} {data.get('path')} -> {data.get('status')}"
    said = _said(data.get("response")) if (data.get("status") or 0) >= 400 else ""
    return f"{line} {_short(said)}" if said else line


def _said(refusal: object) -> str:
    """The human part of an error body (rest.md 3)."""
    match refusal:
        case {"message": str(text)} | {"error": str(text)} | str(text):
            return text
        case _:
            return ""


_WORDS: dict[str, tuple[str, Callable[[JSONObject], str]]] = {
    "close": ("close", _close),
    "config": ("config", _config),
    "fault": ("fault", _fault),
    "http": ("http", _http),
    "participant_connected": ("participant_connected", _person("participant")),
    "participant_disconnected": ("participant_disconnected", _person("participant")),
    "ready": ("ready", _ready),
    "speak": ("speak", _speak),
    "stt_result": ("heard", _stt_result),
    "track_subscribed": ("track_subscribed", _person("track")),
    "tts_playback_complete": ("completed", lambda _: ""),
    "webhook": ("webhook", _webhook),
}

"""The timeline as lines of text: when, which way, what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from sayna_testing.server.journal import Entry

_Data = dict[str, Any]


def timeline(entries: Iterable[Entry], *, mark: Entry | None = None) -> list[str]:
    """One line a happening, runs of audio folded into one; `mark` gets `>>>` before its line."""
    rates: dict[str, tuple[int, int]] = {}
    lines: list[str] = []
    for group in _runs(entries):
        entry = group[0]
        if entry.kind == "config":
            rates[entry.session] = _byte_rates(entry.data)
        pointer = ">>>" if mark is not None and mark in group else ""
        line = f" {pointer:<3} {entry.at:+9.3f}  {_WHO[entry.flow]} {_what(group, rates)}"
        lines.append(line.rstrip())
    return lines


def _runs(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Neighbouring audio frames of one session and one direction as one run, all else alone."""

    def key(entry: Entry) -> tuple[object, ...]:
        if entry.kind == "audio":
            return (entry.session, entry.flow, entry.dropped, entry.error)
        return (entry.index,)

    for _, group in groupby(entries, key):
        yield list(group)


_WHO = {">": "agent  >", "<": "agent  <", "*": "world  *"}


def _what(group: list[Entry], rates: dict[str, tuple[int, int]]) -> str:
    entry = group[0]
    if entry.kind == "audio":
        detail = _audio(group, rates)
    else:
        label, describe = _KINDS.get(entry.kind, (entry.kind, _plain))
        detail = f"{label:<9} {describe(entry.data)}"
    swallowed = f"  (dropped: {entry.dropped})" if entry.dropped else ""
    return f"{detail}{swallowed}"


def _audio(group: list[Entry], rates: dict[str, tuple[int, int]]) -> str:
    mic, speech = rates.get(group[0].session, (0, 0))
    size = sum(len(entry.audio or b"") for entry in group)
    rate = mic if group[0].flow == ">" else speech
    length = f"{size / rate:.2f} s" if rate else f"{size} bytes"
    frames = f" in {len(group)} frames" if len(group) > 1 else ""
    return f"{'audio':<9} {length}{frames}"


_SAMPLE_BYTES = {"linear16": 2, "pcm": 2, "mulaw": 1, "ulaw": 1, "alaw": 1}


def _byte_rates(config: _Data) -> tuple[int, int]:
    """Bytes a second of mic and of speech audio, 0 where the format does not tell."""
    stt: _Data = config.get("stt_config") or {}
    mic = int(stt.get("sample_rate") or 0) * _SAMPLE_BYTES.get(str(stt.get("encoding")), 0)
    return mic, speech_byte_rate(config.get("tts_config") or {})


def speech_byte_rate(tts: _Data) -> int:
    """Bytes a second of speech under a `tts_config`, 0 if not told."""
    rate, encoding = speech_format(tts)
    return rate * _SAMPLE_BYTES.get(encoding, 0)


def speech_format(tts: _Data) -> tuple[int, str]:
    """Sample rate and encoding of speech under a `tts_config` (websocket.md 4.2.2)."""
    return int(tts.get("sample_rate") or 24000), str(tts.get("audio_format") or "linear16")


def _plain(data: _Data) -> str:
    return " ".join(f"{key}={_short(value)}" for key, value in data.items() if key != "type")


def _config(data: _Data) -> str:
    shown = (("stt", "stt_config", "provider"), ("tts", "tts_config", "provider"))
    parts = [
        f"{label}={data[section].get(key)}"
        for label, section, key in (*shown, ("room", "livekit", "room_name"))
        if data.get(section)
    ]
    return "  ".join(parts) or "control only"


def _stt_result(data: _Data) -> str:
    kind = "final" if data.get("is_final") else "interim"
    end = " (end of speech)" if data.get("is_speech_final") else ""
    return f'{kind} "{data.get("transcript", "")}"{end}'


def _speak(data: _Data) -> str:
    protected = "  (protected)" if data.get("allow_interruption") is False else ""
    return f'"{data.get("text", "")}"{protected}'


def _http(data: _Data) -> str:
    return f"{data.get('method')} {data.get('path')} -> {data.get('status')}"


def _short(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_KINDS: dict[str, tuple[str, Callable[[_Data], str]]] = {
    "config": ("config", _config),
    "http": ("http", _http),
    "speak": ("speak", _speak),
    "stt_result": ("heard", _stt_result),
    "tts_playback_complete": ("completed", lambda _: ""),
}

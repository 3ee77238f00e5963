"""The timeline as lines of text: when, which way, what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sayna_testing.report.events import Event, events
from sayna_testing.report.playback import forms
from sayna_testing.server.journal import Entry

_WHO = {">": "agent", "<": "agent", "*": "world"}


def timeline(
    entries: Iterable[Entry], *, mark: Entry | None = None, keys: bool | None = None
) -> list[str]:
    """One line a happening, runs of audio folded into one; `mark` gets `>>>` before its line.

    With `keys` the key of the session stands in place of `agent`, by default where several meet.
    """
    happened = events(entries)
    if keys is None:
        keys = len({event.entry.session for event in happened if event.entry.session}) > 1
    return [_line(event, mark, keys=keys) for event in happened]


def _line(event: Event, mark: Entry | None, *, keys: bool) -> str:
    entry = event.entry
    pointer = ">>>" if mark is not None and mark in event.entries else ""
    who = entry.session if keys and entry.session else _WHO[entry.flow]
    return f" {pointer:<3} {entry.at:+9.3f}  {who:<6} {entry.flow} {event.text}"


def speech_byte_rate(tts: dict[str, Any]) -> int:
    """Bytes a second of speech under a `tts_config`, 0 if not told."""
    return forms({"tts_config": tts})[1].bytes_per_second

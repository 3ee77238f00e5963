"""The picture of a call as values: lanes on one time axis, with what stands in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from sayna_testing.report.audio import peaks, samples
from sayna_testing.report.call import Call
from sayna_testing.report.events import AUDIO, Event, events
from sayna_testing.report.playback import Clip, clips

LANES = (
    "caller",
    "agent",
    "transcripts",
    "speech",
    "control",
    "webhooks",
    "faults",
    "expectations",
)

_LANE_OF = {
    "stt_result": "transcripts",
    "speak": "speech",
    "tts_playback_complete": "speech",
    "http": "webhooks",
    "webhook": "webhooks",
    "fault": "faults",
}

_LETTERS = 165
"""Letters of label that fit side by side over the whole axis before anybody zooms."""
_LABEL = 36
"""Letters of a label that should stay readable at least."""
_ROWS = 5
_MARGIN = 1.08
_WAVE_STEPS = 3000
_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Item:
    """Something in a lane from `start` to `end` (seconds); its label may reach as far as `room`.

    `room` is infinity for the last in its row. `event` is its number among the call's events, None
    for what is no event; `steps` are when (and which) events led to it, as interims do to a final.
    `tone` says how it looks: "", "interim", "dropped", "error", or the status of an expectation.
    """

    start: float
    end: float
    label: str
    event: int | None = None
    tone: str = ""
    steps: tuple[tuple[float, int], ...] = ()
    row: int = 0
    room: float = 0.0


@dataclass(frozen=True, slots=True)
class Wave:
    """A stretch of audio: the event it came with, and the peaks (0 to 100) of equal steps."""

    clip: Clip
    event: int
    peaks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane; `session` is empty for what belongs to no session."""

    name: str
    session: str
    items: tuple[Item, ...]
    waves: tuple[Wave, ...]

    @property
    def rows(self) -> int:
        """How many rows its labels need."""
        return max((item.row + 1 for item in self.items), default=0)


@dataclass(frozen=True, slots=True)
class Picture:
    """All lanes of a call; the axis begins at `start` and is `axis` seconds long."""

    lanes: tuple[Lane, ...]
    events: tuple[Event, ...]
    start: float
    duration: float
    axis: float


def picture(call: Call) -> Picture:
    """Lay a call out: empty lanes are left out, labels that would collide stand in rows."""
    happened = events(call.entries)
    audio = {s: clips(e for e in call.entries if e.session == s) for s in call.sessions}
    start = min((event.entry.at for event in happened), default=0.0)
    ends = [event.until for event in happened]
    ends += [clip.start + clip.heard for found in audio.values() for clip in found]
    ends += [expectation.end for expectation in call.expectations]
    duration = max(ends, default=0.0) - start
    axis = max(duration * _MARGIN, 0.001)
    lanes = _lanes(call, happened, audio, axis)
    return Picture(tuple(lanes), happened, start, duration, axis)


def _lanes(
    call: Call, happened: Sequence[Event], audio: dict[str, tuple[Clip, ...]], axis: float
) -> Iterator[Lane]:
    numbers = {entry.index: n for n, event in enumerate(happened) for entry in event.entries}
    for session in (*call.sessions, ""):
        items: dict[str, list[Item]] = {name: [] for name in LANES}
        for n, event in enumerate(happened):
            name = _lane_of(event)
            if name is not None and session == _session_of(event, name):
                items[name].append(_item(n, event))
        items["transcripts"] = list(_utterances(items["transcripts"]))
        clips_of = {who: [c for c in audio.get(session, ()) if c.who == who] for who in LANES[:2]}
        if not clips_of["caller"]:
            items["caller"] = [replace(i, steps=()) for i in items["transcripts"] if _said(i)]
        if not session:
            items["expectations"] = list(_expected(call))
        for name in LANES:
            waves = tuple(_wave(clip, numbers, axis) for clip in clips_of.get(name, ()))
            if items[name] or waves:
                yield Lane(name, session, _in_rows(items[name], axis), waves)


def _lane_of(event: Event) -> str | None:
    """The lane of an event; audio is drawn as a wave, unless the server did not take it."""
    entry = event.entry
    if entry.kind in AUDIO:
        return "faults" if entry.dropped or entry.error else None
    return _LANE_OF.get(entry.kind, "control")


def _session_of(event: Event, lane: str) -> str:
    return "" if lane in ("webhooks", "faults") else event.entry.session


def _item(number: int, event: Event) -> Item:
    entry = event.entry
    tone = "error" if entry.error or entry.kind in _BAD else "dropped" if entry.dropped else ""
    if entry.kind == "stt_result":
        label = str(entry.data.get("transcript", ""))
        tone = tone or ("" if entry.data.get("is_final") else "interim")
    elif entry.kind == "speak":
        label = str(entry.data.get("text", ""))
    elif entry.kind == "tts_playback_complete":
        label = "\N{CHECK MARK}"
    else:
        label = f"{event.kind} {event.detail}".rstrip()
    return Item(entry.at, event.until, label, number, tone)


_BAD = ("error", "sip_transfer_error", "malformed")


def _utterances(results: Iterable[Item]) -> Iterator[Item]:
    """Interims lead to a final: one item from the first word on, with the text of the last."""
    steps: list[Item] = []
    for item in results:
        if item.tone in ("interim", ""):
            steps.append(item)
            if item.tone:
                continue
            yield _utterance(steps)
            steps = []
        else:
            yield item
    if steps:
        yield _utterance(steps)


def _utterance(steps: Sequence[Item]) -> Item:
    before = tuple((item.start, item.event) for item in steps[:-1] if item.event is not None)
    return replace(steps[-1], start=steps[0].start, steps=before)


def _said(utterance: Item) -> bool:
    """Whether the caller is known to have spoken: a result of speech recognition with words."""
    return bool(utterance.label.strip()) and utterance.tone != "error"


def _expected(call: Call) -> Iterator[Item]:
    for expectation in call.expectations:
        yield Item(expectation.start, expectation.end, expectation.text, None, expectation.status)


def _wave(clip: Clip, numbers: dict[int, int], axis: float) -> Wave:
    step = max(_STEP, axis / _WAVE_STEPS)
    count = max(1, round(clip.duration / step))
    return Wave(clip, numbers[clip.first], peaks(samples(clip), count))


def _in_rows(items: Sequence[Item], axis: float) -> tuple[Item, ...]:
    """Put each item in the first row where its label does not run into the one before it."""
    free = [-inf] * _ROWS
    row_of: list[int] = []
    for item in items:
        width = min(len(item.label) + 2, _LABEL) * axis / _LETTERS
        fits = [n for n, until in enumerate(free) if until <= item.start]
        row = fits[0] if fits else min(range(_ROWS), key=free.__getitem__)
        free[row] = max(item.start + width, item.end)
        row_of.append(row)
    placed: list[Item] = []
    room: dict[int, float] = {}
    for item, row in zip(reversed(items), reversed(row_of), strict=True):
        placed.append(replace(item, row=row, room=max(room.get(row, inf), item.end)))
        room[row] = item.start
    return tuple(reversed(placed))

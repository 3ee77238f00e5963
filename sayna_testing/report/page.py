"""One HTML page for a run: an index of calls, and each call packed until somebody opens it."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from markupsafe import Markup

from sayna_testing.report.audio import phone, samples
from sayna_testing.report.call import Call, Status
from sayna_testing.report.draw import Drawing, clock, draw, templates
from sayna_testing.report.events import Event
from sayna_testing.report.latency import MEANINGS, Latency, Spread, latencies, spreads
from sayna_testing.report.playback import Clip

JSONObject: TypeAlias = dict[str, Any]

_RANK: dict[Status, int] = {"failed": 0, "passed": 1, "not run": 2}
_LONGEST = 2000
"""Letters of a single text inside a frame that are kept; a clip in base64 is not for reading."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call made ready for the page: its row of the index, its picture, its sound.

    `packed` and each of `sounds` are zlib in base64; a sound is named by its own hash, so that
    calls in which the same greeting is heard share it.
    """

    name: str
    status: Status
    reason: str
    duration: float
    latencies: tuple[Latency, ...]
    packed: str
    sounds: dict[str, str]

    def dumps(self) -> str:
        """This part as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Part:
        """A part from what `dumps` made."""
        fields = json.loads(text)
        fields["latencies"] = tuple(Latency(**latency) for latency in fields["latencies"])
        return cls(**fields)


def prepare(call: Call) -> Part:
    """Draw and pack one call: the costly half of a page, done where the call was recorded."""
    drawing = draw(call)
    packed = {clip: _pack(phone(samples(clip), clip.form.sample_rate)) for clip in _clips(drawing)}
    names = {clip: hashlib.sha256(data.encode()).hexdigest()[:20] for clip, data in packed.items()}
    found = latencies(call)
    contents = _contents(call, drawing, found, names)
    return Part(
        call.name,
        call.status,
        call.reason,
        round(drawing.picture.duration, 6),
        found,
        _pack(json.dumps(contents, separators=(",", ":")).encode()),
        {names[clip]: data for clip, data in packed.items()},
    )


def page(parts: Iterable[Part], *, title: str = "Sayna calls") -> str:
    """The page of a run: failed calls first, then by name; equal runs give equal text."""
    ordered = sorted(parts, key=lambda part: (_RANK[part.status], part.name))
    script, style = _source("page.js"), _source("lanes.css") + _source("page.css")
    template = templates().get_template("page.html.j2")
    return template.render(
        title=title,
        rows=[(part, spreads(part.latencies)) for part in ordered],
        counts={s: n for s in _RANK if (n := sum(part.status == s for part in ordered))},
        spreads=spreads(latency for part in ordered for latency in part.latencies),
        meanings=MEANINGS,
        sounds=sorted({name: d for part in ordered for name, d in part.sounds.items()}.items()),
        script=Markup(script),
        style=Markup(style),
        script_hash=_digest(script),
        style_hash=_digest(style),
        clock=clock,
        ms=milliseconds,
    )


def milliseconds(seconds: float) -> str:
    """A delay as people read it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _source(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")


def _digest(source: str) -> str:
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()


def _clips(drawing: Drawing) -> tuple[Clip, ...]:
    waves = [wave for band in drawing.bands for wave in band.lane.waves]
    return tuple(wave.clip for wave in waves if wave.clip.duration)


def _contents(
    call: Call, drawing: Drawing, found: Iterable[Latency], names: dict[Clip, str]
) -> JSONObject:
    """What the page unpacks when a call is opened."""
    return {
        "start": drawing.picture.start,
        "axis": drawing.picture.axis,
        "height": drawing.height,
        "failing": _failing(call, drawing),
        "bands": [
            {"name": band.lane.name, "session": band.lane.session, "top": band.top}
            for band in drawing.bands
        ],
        "plot": drawing.plot,
        "events": [_event(event) for event in drawing.picture.events],
        "latencies": [_row(kind, spread) for kind, spread in spreads(found).items()],
        "clips": [
            {"who": clip.who, "at": clip.start, "heard": clip.heard, "sound": names[clip]}
            for clip in _clips(drawing)
        ],
    }


def _failing(call: Call, drawing: Drawing) -> int:
    """The number of the event at fault, -1 if there is none."""
    for number, event in enumerate(drawing.picture.events):
        if any(entry.index == call.failing for entry in event.entries):
            return number
    return -1


def _row(kind: str, spread: Spread) -> list[str]:
    delays = (spread.p50, spread.p95, spread.worst)
    return [kind, str(spread.count), *map(milliseconds, delays)]


def _event(event: Event) -> JSONObject:
    entry = event.entry
    shown: JSONObject = {"type": "audio"} if entry.kind == "audio" else {}
    shown |= _shorten(entry.data)
    if entry.dropped:
        shown["(dropped)"] = entry.dropped
    if entry.error:
        shown["(answered)"] = "with an error"
    return {
        "index": entry.index,
        "at": entry.at,
        "session": entry.session,
        "flow": entry.flow,
        "text": event.text,
        "data": shown,
    }


def _shorten(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} letters)"
    if isinstance(value, dict):
        return {key: _shorten(item) for key, item in cast("JSONObject", value).items()}
    if isinstance(value, list):
        return [_shorten(item) for item in cast("list[object]", value)]
    return value

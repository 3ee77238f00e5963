"""Drawing a picture as SVG: positions in percent of the time axis, so that zooming is a width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sayna_testing.report.call import Call
from sayna_testing.report.lanes import Lane, Picture, Wave, picture

_TOP = 22
_ROW = 18
_WAVE = 44
_PAD = 4
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300)

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Band:
    """A lane with its place on the paper, in pixels from the top."""

    lane: Lane
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid at `at` seconds; level 0 is there always, 1 and 2 come with zooming."""

    at: float
    level: int
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A call drawn: `plot` is the SVG of everything but the names of the lanes."""

    picture: Picture
    bands: tuple[Band, ...]
    height: int
    plot: Markup


def draw(call: Call, *, titles: bool = False) -> Drawing:
    """Draw a call; `titles` gives each thing its text for programs that show an SVG alone."""
    drawn = picture(call)
    bands = tuple(_bands(drawn))
    height = bands[-1].top + bands[-1].height if bands else _TOP
    scale = _Scale(drawn.start, drawn.axis)
    plot = (
        templates()
        .get_template("plot.svg.j2")
        .render(
            picture=drawn,
            bands=bands,
            height=height,
            ticks=tuple(ticks(drawn.start, drawn.duration)),
            failed_at=call.failed_at,
            scale=scale,
            outline=_outline,
            row=_ROW,
            wave=_WAVE,
            top=_TOP,
            titles=titles,
        )
    )
    return Drawing(drawn, bands, height, Markup(plot))


def svg(call: Call) -> str:
    """A picture of a call as an SVG document of its own."""
    drawing = draw(call, titles=True)
    template = templates().get_template("call.svg.j2")
    return template.render(call=call, drawing=drawing, several=len(call.sessions) > 1)


@cache
def templates() -> Environment:
    """The templates: everything escaped, nothing undefined, no control characters."""
    loader = PackageLoader("sayna_testing.report")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )


def _visible(value: Any) -> Any:
    """Text as XML and UTF-8 can hold it; what they cannot is shown as U+FFFD."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


class _Scale:
    """Seconds as percent: called with a moment for its place on the axis, `part` for a length."""

    def __init__(self, start: float, axis: float) -> None:
        self.start = start
        self.axis = axis
        self.end = start + axis

    def __call__(self, moment: float) -> str:
        return self.part(moment - self.start)

    def part(self, seconds: float, of: float | None = None) -> str:
        share = 100 * seconds / (of or self.axis)
        return f"{share:.4f}".rstrip("0").rstrip(".") + "%"


def _bands(drawn: Picture) -> Iterator[Band]:
    top = _TOP
    for lane in drawn.lanes:
        height = max(lane.rows * _ROW, _WAVE if lane.waves else 0) + _PAD
        yield Band(lane, top, height)
        top += height


def ticks(start: float, duration: float) -> Iterator[Tick]:
    """Lines at round times: about ten without zoom, up to 25 times as many with it."""
    steps = [step for step in _STEPS if duration / step <= 12] or [_STEPS[-1]]
    at = _STEPS.index(steps[0])
    levels = [_STEPS[max(at - back, 0)] for back in (0, 2, 4)]
    finest = levels[-1]
    for number in range(ceil(start / finest - 1e-9), int((start + duration) / finest + 1e-9) + 1):
        time = round(number * finest, 6)
        level = next(n for n, step in enumerate(levels) if _divides(step, time))
        yield Tick(time, level, clock(time, finest if level else levels[0]))


def _divides(step: float, time: float) -> bool:
    return abs(time / step - round(time / step)) < 1e-6


def clock(seconds: float, step: float = 0.001) -> str:
    """Minutes and seconds, with as many decimals as `step` needs: `1:02.5`."""
    decimals = next(n for n in range(4) if _divides(10**-n, step) or n == 3)
    minutes, rest = divmod(round(seconds, decimals), 60)
    width = decimals + 3 if decimals else 2
    return f"{int(minutes)}:{rest:0{width}.{decimals}f}"


def _outline(wave: Wave) -> str:
    """The wave as points of a polygon: along its top, back along its bottom."""
    upper = [f"{x},{100 - peak}" for x, peak in enumerate(wave.peaks)]
    lower = [f"{x},{100 + peak}" for x, peak in enumerate(wave.peaks)]
    return " ".join(upper + lower[::-1])

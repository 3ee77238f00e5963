"""Virtual time: a loop that has nothing to do jumps to its next timer."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

from sayna_testing.clock.driver import Driver, RealTimeline, Timeline
from sayna_testing.clock.steady import steady
from sayna_testing.clock.threads import forget, noting_run, noting_start, noting_wrap

__all__ = ["Clock", "real_time", "virtual_time"]


class Clock:
    """The clock of a test, virtual or real."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def __repr__(self) -> str:
        return f"<Clock elapsed={self.elapsed:.3f}>"

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self._timeline.elapsed

    @property
    def holds(self) -> list[tuple[str, float]]:
        """What held virtual time to real speed: the reason and the real seconds it took."""
        return list(self._timeline.holds.items())

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and everything due by then happen.

        Raises `ValueError` for a negative number, `VirtualTimeError` outside of a driven loop.
        """
        if not seconds >= 0:
            raise ValueError(f"expected seconds >= 0, got {seconds!r}")
        loop = asyncio.get_running_loop()
        self._timeline.check(loop)
        await asyncio.sleep(seconds)
        await self._timeline.quiet(loop)

    def wall(self, when: str | dt.datetime | float) -> None:
        """Set the wall clock, which then moves along: ISO text, a datetime, or seconds since 1970.

        Without a zone it is UTC. A clock frozen by the test is moved, else freezegun freezes one
        until the virtual clock ends; raises `RuntimeError` where it is not installed.
        """
        self._timeline.wall.set(when)


@contextlib.contextmanager
def virtual_time(*, max_virtual_time: float = 3600.0) -> Generator[Clock]:
    """Drive every loop that this thread runs on virtual time while the block is open.

    A loop that already runs is driven from here on. Waiting costs nothing; whatever is owed from
    outside the loop is waited for at real speed. `max_virtual_time` is in seconds. Raises, inside
    the loop's run, `VirtualDeadlock` when no wait can end and `VirtualRunaway` beyond the limit.
    """
    timeline = Timeline(max_virtual_time)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_runs_driven(timeline))
        stack.callback(timeline.wall.close)
        running = asyncio._get_running_loop()  # get_running_loop, but None outside of one
        if running is not None:
            stack.enter_context(Driver(running, timeline))
        yield Clock(timeline)


@contextlib.contextmanager
def real_time() -> Generator[Clock]:
    """The same clock on real time, to see what virtual time changes: waits really wait."""
    timeline = RealTimeline()
    with steady(), contextlib.closing(timeline.wall):
        yield Clock(timeline)


_lock = threading.Lock()
_timelines: dict[int, Timeline] = {}
_undo: list[Callable[[], None]] = []


@contextlib.contextmanager
def _runs_driven(timeline: Timeline) -> Generator[None]:
    thread = threading.get_ident()
    with _lock:
        if thread in _timelines:
            raise RuntimeError("virtual time is already on in this thread; use its clock")
        if not _timelines:
            _patch()
        _timelines[thread] = timeline
    try:
        yield
    finally:
        with _lock:
            del _timelines[thread]
            while _undo and not _timelines:
                _undo.pop()()


def _patch() -> None:
    _undo.append(forget)
    loops: list[Any] = [asyncio.BaseEventLoop]
    uvloop = sys.modules.get("uvloop")
    if uvloop is not None:  # its loop is none of asyncio's and would quietly stay on real time
        loops.append(uvloop.Loop)
    for loop in loops:
        _replace(loop, "run_forever", _driving(loop.run_forever))
    wrap_future = noting_wrap(asyncio.wrap_future)
    for module in (asyncio, asyncio.futures):
        _replace(module, "wrap_future", wrap_future)
    _replace(threading.Thread, "start", noting_start(threading.Thread.start))


def _replace(owner: Any, name: str, value: object) -> None:
    stock: object = owner.__dict__.get(name)
    setattr(owner, name, value)
    _undo.append(
        functools.partial(setattr, owner, name, stock)
        if stock is not None
        else functools.partial(delattr, owner, name)
    )


def _driving(run: Callable[[Any], None]) -> Callable[[Any], None]:
    elsewhere = noting_run(run)

    def run_forever(loop: asyncio.AbstractEventLoop) -> None:
        timeline = _timelines.get(threading.get_ident())
        if timeline is None:
            elsewhere(loop)
        else:
            with Driver(loop, timeline):
                run(loop)

    return run_forever

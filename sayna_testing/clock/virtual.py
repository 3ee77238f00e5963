"""Virtual time: a loop that has nothing to do jumps to its next timer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

from sayna_testing.clock.driver import Driver, Timeline

__all__ = ["Clock", "virtual_time"]


class Clock:
    """The clock of a test under virtual time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def __repr__(self) -> str:
        return f"<Clock elapsed={self.elapsed:.3f}>"

    @property
    def elapsed(self) -> float:
        """Virtual seconds since the clock was made."""
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
        await asyncio.sleep(seconds)
        await self._timeline.quiet(asyncio.get_running_loop())


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
        running = asyncio._get_running_loop()  # get_running_loop, but None outside of one
        if running is not None:
            stack.enter_context(Driver(running, timeline))
        yield Clock(timeline)


_lock = threading.Lock()
_timelines: dict[int, Timeline] = {}
_Loop: Any = asyncio.BaseEventLoop  # its method is replaced, which no type allows
_stock_run: Callable[[asyncio.BaseEventLoop], None] = _Loop.run_forever


def _run_forever(loop: asyncio.BaseEventLoop) -> None:
    timeline = _timelines.get(threading.get_ident())
    if timeline is None:
        _stock_run(loop)
        return
    with Driver(loop, timeline):
        _stock_run(loop)


@contextlib.contextmanager
def _runs_driven(timeline: Timeline) -> Generator[None]:
    thread = threading.get_ident()
    with _lock:
        if thread in _timelines:
            raise RuntimeError("virtual time is already on in this thread; use its clock")
        _timelines[thread] = timeline
        _Loop.run_forever = _run_forever
    try:
        yield
    finally:
        with _lock:
            del _timelines[thread]
            if not _timelines:
                _Loop.run_forever = _stock_run

"""The hands of the clock: what is replaced in a loop while it runs on virtual time."""

from __future__ import annotations

import asyncio
import heapq
import math
from typing import Any, Final, Self

from sayna_testing.clock.descriptors import alone, in_flight
from sayna_testing.clock.errors import (
    VirtualDeadlock,
    VirtualRunaway,
    VirtualTimeError,
    waiting,
)
from sayna_testing.clock.owed import owed
from sayna_testing.clock.steady import Real
from sayna_testing.clock.threads import fake_at_work
from sayna_testing.clock.wall import Wall

__all__ = ["Driver", "Timeline"]

# A small start keeps one float step far below a loop's resolution of a nanosecond.
_START: Final = 1000.0
# How long a wait at real speed may last before we look again whether something is owed, in seconds.
_SLICE: Final = 0.01
# Real silence before a loop that can never wake is called a deadlock, in seconds.
_SILENCE: Final = 1.0
# How often to look, 1 ms each, for bytes that are on their way between two ends in the loop.
_LOOKS: Final = 50
# Deadlines taken before those that have passed are forgotten.
_MANY: Final = 256


class Timeline:
    """The virtual time of one thread, in seconds; it goes on from one loop to the next."""

    def __init__(self, limit: float) -> None:
        if not limit > 0:
            raise ValueError(f"expected max_virtual_time > 0 seconds, got {limit!r}")
        self.now = _START
        self.limit = limit
        self.wall = Wall()
        self.holds: dict[str, float] = {}
        self.quiet_waiters: list[asyncio.Future[None]] = []
        self.drivers: list[Driver] = []

    @property
    def elapsed(self) -> float:
        """Virtual seconds since the start."""
        return self.now - _START

    def check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Raise `VirtualTimeError` unless it is driven."""
        if loop not in (driver.loop for driver in self.drivers):
            raise VirtualTimeError(
                f"virtual time does not drive {loop!r}; await the clock in the thread it came from"
            )

    def quiet(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Done when the loop has nothing left to do at this instant."""
        waiter: asyncio.Future[None] = loop.create_future()
        self.quiet_waiters.append(waiter)
        return waiter

    def jump(self, when: float) -> None:
        """Nothing happens until `when`."""
        self.wall.move(when - self.now, jumped=True)
        self.now = when

    def flow(self, seconds: float, reason: str) -> None:
        """Real time passed, held by `reason`."""
        self.wall.move(seconds, jumped=False)
        self.now += seconds
        self.holds[reason] = self.holds.get(reason, 0.0) + seconds


class RealTimeline(Timeline):
    """Real time, told in the same way."""

    def __init__(self) -> None:
        super().__init__(math.inf)
        self.wall = Wall(ticking=True)
        self._began = Real.monotonic()

    @property
    def elapsed(self) -> float:
        """Real seconds since the start."""
        return Real.monotonic() - self._began

    def check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Every loop runs on real time."""

    def quiet(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Done at once: in real time there is no instant at which all has happened."""
        waiter: asyncio.Future[None] = loop.create_future()
        waiter.set_result(None)
        return waiter


class Driver:
    """Drives one loop while the block is open, and puts its timers back on real time after it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeline: Timeline) -> None:
        selector = getattr(loop, "_selector", None)
        if selector is None:
            raise VirtualTimeError(
                f"virtual time needs asyncio's own event loop, got {type(loop).__module__}."
                f"{type(loop).__name__}; take the default loop for these tests, or use the real"
                ' clock: @pytest.mark.sayna(clock="real")'
            )
        self.loop = loop
        self._inner: Any = loop  # the parts that every stock loop has and no interface names
        self._selector: Any = selector
        self._poll = selector.select
        self._stock_call_at = loop.call_at
        self._timeline = timeline
        self._taken: dict[float, float] = {}
        self._many = _MANY

    def __enter__(self) -> Self:
        self._shift(self._timeline.now - self.loop.time())
        vars(self.loop).update(time=self._time, call_at=self._call_at)
        self._selector.select = self._select
        self._timeline.drivers.append(self)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._timeline.drivers.remove(self)
        del self._selector.select
        for name in ("time", "call_at"):
            del vars(self.loop)[name]
        self._shift(self.loop.time() - self._timeline.now)

    def _shift(self, seconds: float) -> None:
        timers: list[asyncio.TimerHandle] = self._inner._scheduled
        for timer in timers:
            timer._when += seconds  # type: ignore[attr-defined]
        heapq.heapify(timers)

    def _time(self) -> float:
        return self._timeline.now

    def _call_at(self, when: float, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """First come, first served at equal deadlines, which a heap alone does not promise."""
        taken = self._taken
        if when in taken:
            asked = when
            while when in taken:
                when = math.nextafter(taken[when], math.inf)
            taken[asked] = when
        taken[when] = when
        return self._stock_call_at(when, *args, context=context)

    def _select(self, timeout: float | None) -> list[Any]:
        if self._inner._ready and alone(self.loop):
            return []
        events: list[Any] = self._poll(0)
        if events or self._inner._ready or (timeout is not None and timeout <= 0):
            return events
        arrived = self._arriving()
        if arrived:
            return arrived
        if self._timeline.quiet_waiters:
            return self._quiet()
        reason = owed(self.loop)
        if reason is not None:
            return self._flow(timeout, reason)
        timers = self._inner._scheduled
        when = timers[0].when() if timers else math.inf
        if when - _START > self._timeline.limit:
            return self._silence(when)
        self._timeline.jump(when)
        if len(self._taken) > self._many:
            self._taken = {asked: last for asked, last in self._taken.items() if last > when}
            self._many = max(_MANY, 2 * len(self._taken))
        return events

    def _arriving(self) -> list[Any]:
        """What comes to the loop without taking virtual time: of its own, or of the fake's work."""
        events: list[Any] = []
        looks = 0
        while not events and looks < _LOOKS and in_flight(self.loop):
            events = self._poll(0.001)
            looks += 1
        while not events and fake_at_work(self.loop):
            events = self._poll(_SLICE)
        return events

    def _quiet(self) -> list[Any]:
        waiters, self._timeline.quiet_waiters = self._timeline.quiet_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        return []

    def _flow(self, timeout: float | None, reason: str) -> list[Any]:
        start = Real.monotonic()
        events: list[Any] = self._poll(_SLICE if timeout is None else min(timeout, _SLICE))
        self._timeline.flow(Real.monotonic() - start, reason)
        return events

    def _silence(self, when: float) -> list[Any]:
        """Nothing can wake the loop in time; give what we do not know of a last chance."""
        end = Real.monotonic() + _SILENCE
        while Real.monotonic() < end:
            events: list[Any] = self._poll(_SLICE)
            if events or owed(self.loop) is not None:
                return events
        who = waiting(self.loop)
        if when is math.inf:
            raise VirtualDeadlock(f"nothing can end these waits:\n{who}")
        limit = self._timeline.limit
        raise VirtualRunaway(
            f"virtual time would pass its limit of {limit:g} s (max_virtual_time):\n{who}"
        )

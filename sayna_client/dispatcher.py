"""One dispatcher behind four doors: replaceable callbacks, handlers, iterators and waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import Any

from sayna_client import types
from sayna_client.errors import SaynaError, SaynaValidationError
from sayna_client.events import (
    LANES,
    OWN_EVENTS,
    ConnectionClosed,
    Counters,
    HandlerError,
    end_error,
)
from sayna_client.lanes import Backlog, Handler, Lane, Leaving
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.slots import Slot, Wait
from sayna_client.streams import Streams
from sayna_client.timing import time_limit

# How long handlers that were cancelled get to notice it.
_GRACE = 0.25


class Dispatcher:
    """Feeds every event to waits, iterators and handlers, in this order, waiting for none."""

    def __init__(self, limits: Limits, *, strict: bool = False) -> None:
        self.backlog = Backlog(limits.events, limits.audio)
        self.handler_errors = 0
        self._events = 0
        self._audio = 0
        self._strict = strict
        self._failures: list[Exception] = []
        self._leaving = Leaving()
        self.event_streams, self.audio_streams, nobody = Streams(), Streams(), Streams()
        self._lanes = self._new_lanes()
        self.slots = {
            event: Slot(
                event,
                self._lanes[lane],
                self.audio_streams
                if event == "tts_audio"
                else (nobody if event in OWN_EVENTS else self.event_streams),
            )
            for event, lane in LANES.items()
        }

    def slot(self, event: object) -> Slot:
        """Return the slot of an event.

        Raises:
            SaynaValidationError: there is no such event.
        """
        found = self.slots.get(event) if isinstance(event, str) else None
        if found is None:
            raise SaynaValidationError(
                f"event must be one of {', '.join(sorted(LANES))}, got {event!r}"
            )
        return found

    def emit(self, event: str, value: Any, size: int = 0) -> None:
        """Hand an event to everybody who wants it; `size` counts for audio."""
        slot = self.slots[event]
        self._events += 1
        self._audio += size
        if slot.tap is not None:
            slot.tap(value)
        if slot.waits:
            slot.waits = [wait for wait in slot.waits if not wait.offer(value)]
        if slot.streams.refs:
            slot.streams.feed(value, size)
        if slot.handlers:
            slot.lane.put(slot, value, size)
        elif event == "sip_transfer_error":
            error = self.slots["error"]
            error.lane.put(error, types.ErrorMessage(message=value.message), size)

    async def wait_for(
        self, event: str, check: Callable[[Any], bool] | None, limit: float | None
    ) -> Any:
        """Wait for the next event for which `check` is true."""
        slot, wait = self.slot(event), Wait(check)
        slot.waits.append(wait)
        try:
            async with time_limit(limit, f"No {event}"):
                return await wait.future
        finally:
            slot.waits = [other for other in slot.waits if other is not wait]

    def counters(self) -> Counters:
        """Return what was seen so far."""
        return Counters(
            events=self._events,
            audio=self._audio,
            waiting_events=self.backlog.events,
            waiting_audio=self.backlog.audio,
            pauses=self.backlog.pauses,
            handler_errors=self.handler_errors,
        )

    def renew(self) -> None:
        """Start a session with lanes of its own: handlers of an earlier one hold back nothing."""
        for lane in self._lanes.values():
            lane.bury()
        self._lanes = self._new_lanes()
        for event, name in LANES.items():
            self.slots[event].lane = self._lanes[name]

    def end(self, closed: ConnectionClosed) -> None:
        """Tell everybody that no more events come: `closed` first, then waits and iterators end."""
        self.emit("closed", closed)
        for slot in self.slots.values():
            if slot.waits:
                self._fail_waits(slot, end_error(closed, f"while waiting for {slot.event}"))
        self.event_streams.end()
        self.audio_streams.end()

    @contextlib.contextmanager
    def leaving(self) -> Generator[None]:
        """Let nobody wait for the handler that runs this block, or for one that it is part of."""
        with self._leaving:
            yield

    async def settle(self, limit: float) -> None:
        """Let handlers at work finish and queued events be handled, then cancel what is left."""
        lanes = tuple(self._lanes.values())
        for lane in lanes:
            lane.bury()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        while busy := self._busy(lanes):
            left = max(deadline - loop.time(), 0.0)
            changed = self._leaving.changed()
            done, _ = await asyncio.wait(
                [*busy, changed], timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
        await self._cut(lanes)

    def raise_failures(self) -> None:
        """In strict mode, raise what handlers raised since the last time."""
        failures, self._failures = self._failures, []
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("handlers failed", failures)

    def failed(self, event: str, handler: Handler, error: BaseException) -> None:
        """Report what a handler raised: to `handler_error` handlers, else to the log."""
        self.handler_errors += 1
        if self._strict:
            self._fail_strictly(event, error)
        if self.slots["handler_error"].handlers and event != "handler_error":
            self.emit("handler_error", HandlerError(event, handler, error))
        elif not self._strict:
            logger.error("A handler of %s raised %s", event, type(error).__name__, exc_info=error)

    def _fail_strictly(self, event: str, error: BaseException) -> None:
        if not isinstance(error, Exception):
            cancelled = SaynaError(f"A handler of {event} was cancelled from outside")
            cancelled.__cause__ = error
            error = cancelled
        self._failures.append(error)
        for slot in self.slots.values():
            self._fail_waits(slot, error)

    def _fail_waits(self, slot: Slot, error: Exception) -> None:
        waits, slot.waits = slot.waits, []
        for future in (wait.future for wait in waits if not wait.future.done()):
            future.set_exception(error)

    def _busy(self, lanes: tuple[Lane, ...]) -> list[asyncio.Task[None]]:
        return [
            lane.worker
            for lane in lanes
            if lane.worker is not None and not self._leaving.includes(lane)
        ]

    async def _cut(self, lanes: tuple[Lane, ...]) -> None:
        busy = self._busy(lanes)
        for lane in lanes:
            if lane.worker in busy:
                lane.drop()
        for task in busy:
            task.cancel()
        if busy:
            await asyncio.wait(busy, timeout=_GRACE)

    def _new_lanes(self) -> dict[str, Lane]:
        return {name: Lane(self.backlog, self.failed) for name in sorted(set(LANES.values()))}

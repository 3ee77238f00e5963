"""One dispatcher behind four doors: replaceable callbacks, handlers, iterators and waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sayna_client.errors import SaynaConnectionError, SaynaTimeoutError, SaynaValidationError
from sayna_client.lanes import Backlog, Entry, Handler, Lane
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.streams import Stream

# Each event and the lane in which its handlers run.
LANES = {
    "tts_audio": "speech",
    "tts_playback_complete": "speech",
    "stt_result": "transcripts",
    "vad_event": "transcripts",
    "message": "room",
    "participant_connected": "room",
    "participant_disconnected": "room",
    "track_subscribed": "room",
    "ready": "session",
    "error": "session",
    "sip_transfer_error": "session",
    "unknown": "session",
    "closed": "session",
    "handler_error": "session",
}


@dataclass(frozen=True, slots=True)
class HandlerError:
    """A handler of `event` raised `error`."""

    event: str
    handler: Handler
    error: BaseException


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """How a connection ended.

    Attributes:
        code: the number in the Close frame; None where there was no frame or no number in it.
        reason: the text in the Close frame, or of the error that broke the connection.
        initiator: who ended it; "network" when nobody said good-bye.
        clean: whether a Close frame was seen; the real server answers none of ours
            (websocket.md 12).
    """

    code: int | None
    reason: str
    initiator: Literal["client", "server", "network"]
    clean: bool

    def __str__(self) -> str:
        """Say it in words."""
        what = f"code {self.code}" if self.code is not None else "no close code"
        return f"closed by the {self.initiator} ({what}{', ' + self.reason if self.reason else ''})"


class _Wait:
    __slots__ = ("check", "future")

    def __init__(self, check: Callable[[Any], bool] | None) -> None:
        self.check = check
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def offer(self, value: object) -> bool:
        """Take the value if it fits; return whether the wait is over."""
        if self.future.done():
            return True
        try:
            if self.check is None or self.check(value):
                self.future.set_result(value)
        except Exception as error:  # noqa: BLE001 - it belongs to who wrote the check
            self.future.set_exception(error)
        return self.future.done()


class Slot:
    """One event: its callback, its handlers, its waits."""

    __slots__ = ("_callback", "_others", "event", "handlers", "lane", "streams", "waits")

    def __init__(self, event: str, lane: Lane, streams: list[Stream[Any]]) -> None:
        self.event = event
        self.lane = lane
        self.streams = streams
        self.handlers: tuple[Entry, ...] = ()
        self.waits: list[_Wait] = []
        self._callback: Entry | None = None
        self._others: tuple[Entry, ...] = ()

    def replace(self, handler: Handler | None) -> None:
        """Set the one callback of 0.0.18; None removes it."""
        self._callback = Entry(handler, once=False) if handler is not None else None
        self._update()

    def add(self, handler: Handler, *, once: bool) -> None:
        """Add a handler behind the others."""
        self._others = (*self._others, Entry(handler, once=once))
        self._update()

    def remove(self, handler: Handler) -> bool:
        """Remove a handler wherever it is; return whether it was there."""
        found = [entry for entry in self.handlers if entry.handler == handler]
        for entry in found:
            self.forget(entry)
        return bool(found)

    def forget(self, entry: Entry) -> None:
        """Remove one registration."""
        if entry is self._callback:
            self._callback = None
        self._others = tuple(other for other in self._others if other is not entry)
        self._update()

    def _update(self) -> None:
        first = (self._callback,) if self._callback is not None else ()
        self.handlers = (*first, *self._others)


class Dispatcher:
    """Feeds every event to waits, iterators and handlers, in this order, waiting for none."""

    def __init__(self, limits: Limits) -> None:
        self.backlog = Backlog(limits.events, limits.audio)
        self.handler_errors = 0
        self._event_streams: list[Stream[Any]] = []
        self._audio_streams: list[Stream[Any]] = []
        self._lanes = self._new_lanes()
        self.slots = {
            event: Slot(
                event,
                self._lanes[lane],
                self._audio_streams if event == "tts_audio" else self._event_streams,
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

    def emit(self, event: str, value: object, size: int = 0) -> None:
        """Hand an event to everybody who wants it; `size` counts for audio."""
        slot = self.slots[event]
        if slot.waits:
            slot.waits = [wait for wait in slot.waits if not wait.offer(value)]
        for stream in slot.streams:
            stream.feed(value, size)
        if slot.handlers:
            slot.lane.put(slot, value, size)

    async def wait_for(
        self, event: str, check: Callable[[Any], bool] | None, limit: float | None
    ) -> Any:
        """Wait for the next event for which `check` is true."""
        slot, wait = self.slot(event), _Wait(check)
        slot.waits.append(wait)
        try:
            async with asyncio.timeout(limit):
                return await wait.future
        except TimeoutError:
            if not wait.future.cancelled():
                raise
            timed_out = SaynaTimeoutError(f"No {event} within {limit} s")
        finally:
            slot.waits = [other for other in slot.waits if other is not wait]
        raise timed_out

    def renew(self) -> None:
        """Start a session with lanes of its own: handlers of an earlier one hold back nothing."""
        self._lanes = self._new_lanes()
        for event, lane in LANES.items():
            self.slots[event].lane = self._lanes[lane]

    def end(self, closed: ConnectionClosed) -> None:
        """Tell everybody that no more events come: `closed` first, then waits and iterators end."""
        self.emit("closed", closed)
        for slot in self.slots.values():
            waits, slot.waits = slot.waits, []
            for wait in waits:
                if not wait.future.done():
                    wait.future.set_exception(
                        SaynaConnectionError(
                            f"The connection was {closed} while waiting for {slot.event}",
                            close_code=closed.code,
                            close_reason=closed.reason,
                        )
                    )
        for stream in (*self._event_streams, *self._audio_streams):
            stream.end()

    async def settle(self, limit: float) -> None:
        """Let handlers at work finish and queued events be handled, then cancel what is left."""
        lanes = tuple(self._lanes.values())
        deadline = asyncio.get_running_loop().time() + limit
        while busy := [task for lane in lanes if (task := lane.busy()) is not None]:
            left = deadline - asyncio.get_running_loop().time()
            _, pending = await asyncio.wait(busy, timeout=max(left, 0.0))
            if pending:
                for lane in lanes:
                    lane.drop()
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=limit)
                return

    def failed(self, event: str, handler: Handler, error: BaseException) -> None:
        """Report what a handler raised: to `handler_error` handlers, else to the log."""
        self.handler_errors += 1
        if self.slots["handler_error"].handlers and event != "handler_error":
            self.emit("handler_error", HandlerError(event, handler, error))
        else:
            logger.error("A handler of %s raised %s", event, type(error).__name__, exc_info=error)

    def _new_lanes(self) -> dict[str, Lane]:
        return {name: Lane(self.backlog, self.failed) for name in sorted(set(LANES.values()))}

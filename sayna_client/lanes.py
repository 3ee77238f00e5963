"""Ordered lanes: events start in order of arrival; a handler holds back only its own lane."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol

Handler = Callable[[Any], object]


class Entry:
    """A handler of an event; `once` ones leave with their first call."""

    __slots__ = ("handler", "once")

    def __init__(self, handler: Handler, *, once: bool) -> None:
        self.handler = handler
        self.once = once


class Handled(Protocol):
    """What a lane needs to know of an event: its name and who handles it now."""

    event: str
    handlers: tuple[Entry, ...]

    def forget(self, entry: Entry) -> None:
        """Remove a handler."""


Failed = Callable[[str, Handler, BaseException], None]
Pending = list[tuple[Handler, Awaitable[object]]]


class Backlog:
    """What waits for handlers and iterators; `hold` asks the reader to pause."""

    __slots__ = (
        "_max_audio",
        "_max_events",
        "_room",
        "_turns",
        "audio",
        "events",
        "hold",
        "pauses",
    )

    def __init__(self, max_events: int, max_audio: int) -> None:
        self.events = 0
        self.audio = 0
        self.pauses = 0
        self.hold = False
        self._turns = 0
        self._max_events = max_events
        self._max_audio = max_audio
        self._room: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether a bound is reached."""
        return self.events >= self._max_events or self.audio >= self._max_audio

    def add(self, size: int) -> None:
        """Count an event (size 0) or a piece of audio."""
        if size:
            self.audio += size
        else:
            self.events += 1
        if self.full:
            self.hold = True

    def remove(self, size: int) -> None:
        """Take it off again."""
        if size:
            self.audio -= size
        else:
            self.events -= 1
        if self._room is not None and not self._room.done() and not self.full:
            self._room.set_result(None)

    def give_way(self, turns: int) -> None:
        """Hold the reader for some turns of the loop."""
        self._turns = max(self._turns, turns)
        self.hold = True

    async def pause(self) -> None:
        """Give way to what was just started, then wait until the bounds hold."""
        self.hold = False
        while self._turns:
            self._turns -= 1
            await asyncio.sleep(0)
        if not self.full:
            return
        self.pauses += 1
        self._room = asyncio.get_running_loop().create_future()
        try:
            await self._room
        finally:
            self._room = None


class Turn:
    """One handler's time at work; tasks it starts inherit it, so nobody waits for themselves."""

    __slots__ = ()


_turn: ContextVar[Turn | None] = ContextVar("sayna_client_turn", default=None)


def enter_reader() -> None:
    """Give the running task a turn of its own: handlers that it calls are told by it."""
    _turn.set(Turn())


class Leaving:
    """Handlers that wait for the end themselves, so that the end must not wait for them."""

    __slots__ = ("_changed", "_turns")

    def __init__(self) -> None:
        self._turns: list[Turn | None] = []
        self._changed: asyncio.Future[None] | None = None

    def __enter__(self) -> None:
        self._turns.append(_turn.get())
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def __exit__(self, *exc_info: object) -> None:
        self._turns.remove(_turn.get())

    def includes(self, lane: Lane) -> bool:
        """Return whether the handler at work in a lane is one of them."""
        return any(turn in lane.turns for turn in self._turns if turn is not None)

    def changed(self) -> asyncio.Future[None]:
        """Return what is done when the next one joins."""
        if self._changed is None or self._changed.done():
            self._changed = asyncio.get_running_loop().create_future()
        return self._changed


class Lane:
    """Handles one event after another; plain functions run where the event arrives.

    `turns` are those in which the handlers at work were called and go on.
    """

    __slots__ = ("_backlog", "_failed", "_queue", "turns", "worker")

    def __init__(self, backlog: Backlog, failed: Failed) -> None:
        self.turns: tuple[Turn | None, ...] = ()
        self.worker: asyncio.Task[None] | None = None
        self._backlog = backlog
        self._failed = failed
        self._queue: deque[tuple[Handled, Any, int]] = deque()

    def put(self, slot: Handled, value: object, size: int) -> None:
        """Start the handlers of an event, or queue it behind those at work."""
        if self.worker is not None:
            self._queue.append((slot, value, size))
            self._backlog.add(size)
            return
        pending = self._call(slot, value)
        if pending is not None:
            self.worker = asyncio.get_running_loop().create_task(self._work(slot, pending))
            # It starts with the next turn of the loop, and no later event may start before.
            self._backlog.give_way(1)

    def drop(self) -> None:
        """Forget what is queued."""
        while self._queue:
            self._backlog.remove(self._queue.popleft()[2])

    def bury(self) -> None:
        """Forget a worker whose event loop is gone, and what waited for it."""
        if self.worker is not None and self.worker.get_loop().is_closed():
            self.worker = None
            self.drop()

    def _call(self, slot: Handled, value: object) -> Pending | None:
        pending: Pending | None = None
        for entry in slot.handlers:
            if entry.once:
                slot.forget(entry)
            try:
                result = entry.handler(value)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - reported
                self._failed(slot.event, entry.handler, error)
            else:
                if result is not None and inspect.isawaitable(result):
                    pending = pending or []
                    pending.append((entry.handler, result))
        return pending

    async def _work(self, slot: Handled, first: Pending) -> None:
        called_in = _turn.get()
        pending: Pending | None = first
        try:
            while True:
                turn = Turn()
                _turn.set(turn)
                self.turns = (called_in, turn)
                if pending is not None:
                    await self._finish(slot, pending)
                if not self._queue:
                    return
                slot, value, size = self._queue.popleft()
                self._backlog.remove(size)
                called_in = turn
                pending = self._call(slot, value)
        finally:
            self.worker = None
            self.turns = ()
            self.drop()

    async def _finish(self, slot: Handled, pending: Pending) -> None:
        if len(pending) == 1:
            await self._outcome(slot, *pending[0])
        else:
            await asyncio.gather(*(self._outcome(slot, *one) for one in pending))

    async def _outcome(self, slot: Handled, handler: Handler, result: Awaitable[object]) -> None:
        try:
            await result
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._failed(slot.event, handler, error)
        except Exception as error:  # noqa: BLE001 - reported
            self._failed(slot.event, handler, error)

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


class Backlog:
    """What waits for handlers and iterators, against its bounds."""

    __slots__ = ("_max_audio", "_max_events", "_waiter", "audio", "events")

    def __init__(self, max_events: int, max_audio: int) -> None:
        self.events = 0
        self.audio = 0
        self._max_events = max_events
        self._max_audio = max_audio
        self._waiter: asyncio.Future[None] | None = None

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

    def remove(self, size: int) -> None:
        """Take it off again."""
        if size:
            self.audio -= size
        else:
            self.events -= 1
        if self._waiter is not None and not self.full:
            self.release()

    def release(self) -> None:
        """Let the reader go on, whatever the bounds say."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def room(self) -> None:
        """Wait until something was taken off and the bounds hold."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class Turn:
    """One handler's time at work; tasks it starts inherit it, so nobody waits for themselves."""

    __slots__ = ()


_turn: ContextVar[Turn | None] = ContextVar("sayna_client_turn", default=None)


class Lane:
    """Handles one event after another; plain functions run where the event arrives."""

    __slots__ = ("_backlog", "_failed", "_queue", "_turn", "_worker")

    def __init__(self, backlog: Backlog, failed: Failed) -> None:
        self._backlog = backlog
        self._failed = failed
        self._queue: deque[tuple[Handled, Any, int]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._turn = Turn()

    def put(self, slot: Handled, value: object, size: int) -> None:
        """Start the handlers of an event, or queue it behind those at work."""
        if self._worker is not None:
            self._queue.append((slot, value, size))
            self._backlog.add(size)
            return
        token = _turn.set(self._turn)
        try:
            pending = self._call(slot, value)
        finally:
            _turn.reset(token)
        if pending:
            self._worker = asyncio.get_running_loop().create_task(self._work(slot, pending))

    def busy(self) -> asyncio.Task[None] | None:
        """Return the work in progress, unless the caller is part of it."""
        return None if _turn.get() is self._turn else self._worker

    def drop(self) -> None:
        """Forget what is queued."""
        while self._queue:
            self._backlog.remove(self._queue.popleft()[2])

    def _call(self, slot: Handled, value: object) -> list[tuple[Handler, Awaitable[object]]]:
        pending: list[tuple[Handler, Awaitable[object]]] = []
        for entry in slot.handlers:
            if entry.once:
                slot.forget(entry)
            try:
                result = entry.handler(value)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - reported
                self._failed(slot.event, entry.handler, error)
            else:
                if result is not None and inspect.isawaitable(result):
                    pending.append((entry.handler, result))
        return pending

    async def _work(self, slot: Handled, pending: list[tuple[Handler, Awaitable[object]]]) -> None:
        _turn.set(self._turn)
        try:
            while True:
                await self._finish(slot, pending)
                pending = []
                while not pending:
                    if not self._queue:
                        return
                    slot, value, size = self._queue.popleft()
                    self._backlog.remove(size)
                    self._turn = Turn()
                    _turn.set(self._turn)
                    pending = self._call(slot, value)
        finally:
            self._worker = None
            self._turn = Turn()

    async def _finish(
        self, slot: Handled, pending: list[tuple[Handler, Awaitable[object]]]
    ) -> None:
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

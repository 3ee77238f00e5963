"""What there is to one event: a callback, handlers, waits, iterators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sayna_client.lanes import Entry, Handler, Lane
from sayna_client.streams import Streams


class Wait:
    """Somebody waits for an event that passes a check."""

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
    """One event and everybody who wants it; `tap` is the session itself."""

    __slots__ = ("_callback", "_others", "event", "handlers", "lane", "streams", "tap", "waits")

    def __init__(self, event: str, lane: Lane, streams: Streams) -> None:
        self.event = event
        self.lane = lane
        self.streams = streams
        self.tap: Callable[[Any], None] | None = None
        self.handlers: tuple[Entry, ...] = ()
        self.waits: list[Wait] = []
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

    def remove(self, handler: Handler) -> None:
        """Remove a handler, wherever it is."""
        for entry in self.handlers:
            if entry.handler == handler:
                self.forget(entry)

    def forget(self, entry: Entry) -> None:
        """Remove one registration."""
        if entry is self._callback:
            self._callback = None
        self._others = tuple(other for other in self._others if other is not entry)
        self._update()

    def _update(self) -> None:
        first = (self._callback,) if self._callback is not None else ()
        self.handlers = (*first, *self._others)

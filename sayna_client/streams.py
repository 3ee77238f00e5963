"""Iterators over events; who stops reading one without closing it leaves nothing behind."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import Any, Generic, Self, TypeVar, cast

from sayna_client.lanes import Backlog

T = TypeVar("T")


class Stream(Generic[T]):
    """An async iterator over events from the moment it was made; it ends when the session does."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._queue: deque[tuple[T, int]] = deque()
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, value: object, size: int) -> None:
        """Queue an event."""
        self._queue.append((cast("T", value), size))
        self._backlog.add(size)
        self._wake()

    def end(self) -> None:
        """Let the iteration end when what is queued has been taken."""
        self._ended = True
        self._wake()

    async def aclose(self) -> None:
        """Stop: what is queued is dropped."""
        self._drop()
        self.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        value, size = self._queue.popleft()
        self._backlog.remove(size)
        return value

    def __del__(self) -> None:
        self._drop()

    def _drop(self) -> None:
        while self._queue:
            self._backlog.remove(self._queue.popleft()[1])

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Streams:
    """The iterators in use, held weakly."""

    __slots__ = ("__weakref__", "refs")

    def __init__(self) -> None:
        self.refs: list[weakref.ref[Stream[Any]]] = []

    def add(self, stream: Stream[Any]) -> None:
        """Feed an iterator from now on, as long as somebody holds it."""
        self.refs.append(weakref.ref(stream, self.refs.remove))

    def feed(self, value: object, size: int) -> None:
        """Queue an event in each of them."""
        for stream in self._alive():
            stream.feed(value, size)

    def end(self) -> None:
        """End each of them and forget it."""
        for stream in self._alive():
            stream.end()
        self.refs.clear()

    def _alive(self) -> list[Stream[Any]]:
        return [stream for ref in self.refs if (stream := ref()) is not None]

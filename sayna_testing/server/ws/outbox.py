"""What goes to the client: one queue for JSON and audio, in order (websocket.md 2)."""

import asyncio
from collections import deque
from typing import Any, NamedTuple

from sayna_testing.server.ws.messages import Frame
from sayna_testing.server.ws.wire import Opcode

CAPACITY = 1024


class Outgoing(NamedTuple):
    """One queued message; `data` is what the journal shows of it."""

    opcode: Opcode
    payload: bytes
    kind: str
    data: dict[str, Any] | None = None


CLOSE = Outgoing(Opcode.CLOSE, b"", "close")


def text(frame: Frame) -> Outgoing:
    """Queue form of a JSON frame."""
    return Outgoing(Opcode.TEXT, frame.text.encode(), frame.kind, frame.data)


def audio(chunk: bytes) -> Outgoing:
    """Queue form of a chunk of audio."""
    return Outgoing(Opcode.BINARY, chunk, "audio")


class Outbox:
    """A bounded queue with one reader; once closed it takes and gives nothing."""

    def __init__(self) -> None:
        self._queue: deque[Outgoing] = deque()
        self._in_flight = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    @property
    def is_full(self) -> bool:
        """Whether who can wait has to."""
        return len(self._queue) + self._in_flight >= CAPACITY

    def post(self, frame: Frame) -> None:
        """Queue a frame, also beyond the bound: each event waits in a task of its own."""
        self.put(text(frame))

    def offer(self, frame: Frame) -> None:
        """Queue a frame unless the queue is full; then it is lost."""
        if not self.is_full:
            self.post(frame)

    async def send(self, frame: Frame) -> None:
        """Queue a frame as soon as there is room."""
        await self.space()
        self.post(frame)

    async def space(self) -> None:
        """Wait for room in the queue."""
        while self.is_full and not self._closed:
            self._space.clear()
            await self._space.wait()

    def put(self, outgoing: Outgoing) -> None:
        """Queue whatever it is, at once."""
        if not self._closed:
            self._queue.append(outgoing)
            self._filled.set()

    async def take(self) -> list[Outgoing]:
        """Everything queued, as soon as there is something; it counts until the next call."""
        self._in_flight = 0
        self._space.set()
        await self._filled.wait()
        self._filled.clear()
        taken = list(self._queue)
        self._queue.clear()
        self._in_flight = len(taken)
        return taken

    def close(self) -> None:
        """Drop what is queued and whatever comes."""
        self._closed = True
        self._queue.clear()
        self._space.set()

"""One upgraded connection as bytes: messages in, frames out (websocket.md 2, 12)."""

import asyncio
from collections.abc import Callable

from sayna_testing.server.http_connection import HttpConnection, rendered
from sayna_testing.server.http_faults import cut
from sayna_testing.server.rest import Response
from sayna_testing.server.ws.wire import (
    FrameReader,
    Message,
    Opcode,
    accept_key,
    frame,
)

_PAUSE_ABOVE = 1 << 20


class Socket:
    """The server's end of a WebSocket; `key` is the client's `Sec-WebSocket-Key`."""

    def __init__(self, connection: HttpConnection, key: str) -> None:
        self._connection = connection
        self._key = key
        self._reader = FrameReader()
        self._eof = False
        self._waiter: asyncio.Future[None] | None = None
        self.on_eof: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Answer 101; from here on the connection is a WebSocket."""
        headers = (
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-accept", accept_key(self._key)),
        )
        self._connection.transport.write(rendered(Response(101, headers)))
        self._connection.hand_over(self)

    # The connection hands over what comes.

    def feed_data(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._reader.feed(data)
        if self._reader.waiting > _PAUSE_ABOVE:
            self._connection.transport.pause_reading()
        self._wake()

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        self._eof = True
        self.on_eof()
        self._wake()

    async def receive(self, *, answers_pings: Callable[[], bool]) -> Message | None:
        """The next message that is no ping or pong, None at the end; raises WireError.

        Pings are answered here, so only while somebody is reading.
        """
        while True:
            message = self._reader.next()
            if message is None:
                if self._eof:
                    return None
                await self._more()
            elif message.opcode == Opcode.PING:
                if answers_pings():
                    await self.write(frame(Opcode.PONG, message.payload))
            elif message.opcode != Opcode.PONG:
                return message

    async def _more(self) -> None:
        self._connection.transport.resume_reading()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def write(self, data: bytes) -> bool:
        """Write bytes, waiting while the client does not take them; False when it is gone."""
        return await self._connection.write(data)

    def hang_up(self) -> None:
        """Close the connection behind what was written."""
        self._connection.transport.close()

    def abort(self) -> None:
        """Drop the connection at once, unsent bytes included."""
        cut(self._connection.transport)

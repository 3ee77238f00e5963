"""One upgraded connection as bytes: messages in, frames out, through aiohttp's public doors.

aiohttp's own WebSocket closes with codes, echoes a Close and takes unmasked frames; the real server
does none of that (websocket.md 2, 12), so the frames are ours and aiohttp carries the bytes.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sayna_testing.server.http_faults import cut
from sayna_testing.server.ws.wire import (
    FrameReader,
    Message,
    Opcode,
    accept_key,
    frame,
)

_PAUSE_ABOVE = 1 << 20


class Socket:
    """The server's end of a WebSocket."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._reader = FrameReader()
        self._eof = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self.on_eof: Callable[[], None] = lambda: None
        self.response = web.StreamResponse(
            status=101,
            headers={
                "connection": "upgrade",
                "upgrade": "websocket",
                "sec-websocket-accept": accept_key(request.headers["sec-websocket-key"]),
            },
        )
        self.response.force_close()

    async def open(self) -> None:
        """Answer 101; from here on the connection is a WebSocket."""
        await self.response.prepare(self._request)
        protocol: Any = self._request.protocol  # its parser is typed as aiohttp's own
        protocol.set_parser(self)

    # aiohttp hands the bytes to its parser: us.

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes from the connection."""
        self._reader.feed(data)
        if self._reader.waiting > _PAUSE_ABOVE:
            self._pause(paused=True)
        self._wake()
        return False, b""

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
        self._pause(paused=False)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause(self, *, paused: bool) -> None:
        transport = self._request.transport
        if paused == self._paused or transport is None or transport.is_closing():
            return
        self._paused = paused
        if paused:
            transport.pause_reading()
        else:
            transport.resume_reading()

    async def write(self, data: bytes) -> bool:
        """Write bytes, waiting while the client does not take them; False when it is gone."""
        try:
            await self.response.write(data)
        except ConnectionError:
            return False
        return True

    def hang_up(self) -> None:
        """Close the connection behind what was written."""
        if self._request.transport is not None:
            self._request.transport.close()

    def abort(self) -> None:
        """Drop the connection at once, unsent bytes included."""
        cut(self._request.transport)

"""Connections that never leave the loop: two paired asyncio transports instead of a socket.

`MemoryConnector` puts aiohttp's own client protocol on one end and the server's on the other. Bytes
are handed over with `call_soon`, so one side never runs inside the other, order is kept, and a
virtual clock sees every step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp

from sayna_testing.where import caller

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler

__all__ = ["MemoryConnector", "MemoryTransport"]

# asyncio's own defaults for sockets.
_HIGH_WATER: Final = 64 * 1024
_LOW_WATER: Final = 16 * 1024
_ADDRESSES: Final = {"peername": ("127.0.0.1", 0), "sockname": ("127.0.0.1", 0)}


class MemoryTransport(asyncio.Transport):
    """One end of an in-memory connection; `pair` makes both."""

    _peer: MemoryTransport

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__(dict(_ADDRESSES))
        self._loop = loop
        self._protocol = protocol
        self._inbox: list[bytes] = []
        self._inbox_size = 0
        self._eof_comes = False
        self._delivery: asyncio.Handle | None = None
        self._reading = True
        self._closing = False
        self._writing_paused = False
        self._high, self._low = _HIGH_WATER, _LOW_WATER

    @staticmethod
    def pair(
        loop: asyncio.AbstractEventLoop, client: asyncio.Protocol, server: asyncio.Protocol
    ) -> MemoryTransport:
        """Join two protocols of one loop; returns the client's end."""
        near, far = MemoryTransport(loop, client), MemoryTransport(loop, server)
        near._peer, far._peer = far, near
        server.connection_made(far)
        client.connection_made(near)
        return near

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Queue bytes for the other end; after either end closed they are lost, as on a socket."""
        if self._closing or not data:
            return
        peer = self._peer
        if peer._closing:
            if not self._reading:  # nobody here will ever see the end of stream
                self._finish(ConnectionResetError("Connection reset by peer"))
            return
        peer._inbox.append(bytes(data))
        peer._inbox_size += len(data)
        peer._wake()
        if peer._inbox_size > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """Bytes written here that the other end has not taken yet."""
        return self._peer._inbox_size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The (low, high) water marks in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when `pause_writing` and `resume_writing` are called, in bytes."""
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not 0 <= low <= high:
            raise ValueError(f"expected 0 <= low <= high, got low={low} and high={high}")
        self._high, self._low = high, low

    def can_write_eof(self) -> bool:
        """Half-closed connections are not offered; HTTP/1.1 and WebSocket need none."""
        return False

    def is_reading(self) -> bool:
        """True unless paused or closing."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Hold back what arrives; the other end is paused once its mark is passed."""
        self._reading = False

    def resume_reading(self) -> None:
        """Let arriving bytes through again."""
        self._reading = True
        self._wake()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand this end to another protocol."""
        self._protocol = cast("asyncio.Protocol", protocol)  # a stream transport has no others

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol on this end."""
        return self._protocol

    def is_closing(self) -> bool:
        """True once closed from either side."""
        return self._closing

    def close(self) -> None:
        """Close; the other end still gets what was written, then the end of the stream."""
        self._finish(None)

    def abort(self) -> None:
        """Close at once; what the other end has not taken yet is lost."""
        if not self._closing:
            self._peer._discard()
        self._finish(None)

    def drop(self) -> None:
        """End both sides without calling anybody: their loop is gone."""
        for end in (self, self._peer):
            end._closing = True
            end._discard()

    def _finish(self, exc: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._discard()
        self._loop.call_soon(self._protocol.connection_lost, exc)
        peer = self._peer
        peer._eof_comes = True
        if peer._writing_paused and not peer._reading:  # it would wait for us for ever
            peer._finish(ConnectionResetError("Connection reset by peer"))
        else:
            peer._wake()

    def _discard(self) -> None:
        self._inbox.clear()
        self._inbox_size = 0

    def _wake(self) -> None:
        if self._delivery is None and (self._inbox or self._eof_comes) and self.is_reading():
            self._delivery = self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivery = None
        if not self.is_reading():
            return
        if self._inbox:
            data = self._inbox[0] if len(self._inbox) == 1 else b"".join(self._inbox)
            self._discard()
            self._peer._taken()
            self._protocol.data_received(data)
            self._wake()
        else:
            self._protocol.eof_received()
            self._finish(None)

    def _taken(self) -> None:
        if self._writing_paused and self._peer._inbox_size <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()


class MemoryConnector(aiohttp.BaseConnector):
    """An aiohttp connector whose every connection is served in the loop of whoever connects.

    `accept` is called in that loop and returns a fresh server protocol.
    """

    def __init__(self, accept: Callable[[], asyncio.Protocol]) -> None:
        super().__init__()
        self.opened_at = caller()
        """The line of the user's code that made it, as `tests/test_agent.py:12`."""
        self._accept = accept
        self._transports: list[MemoryTransport] = []

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which its connections live, on both ends."""
        return self._loop

    @property
    def open_connections(self) -> int:
        """How many connections both ends still hold."""
        self._transports = [end for end in self._transports if not end.is_closing()]
        return len(self._transports)

    def abort_all(self) -> None:
        """Drop every connection on both ends, from any thread, also when the loop is closed."""
        transports, self._transports = self._transports, []
        for end in transports:
            if self._loop.is_closed():
                end.drop()
            else:
                self._loop.call_soon_threadsafe(end.abort)

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        # The hook every aiohttp connector overrides, unchanged from 3.8 to 3.14.
        protocol = self._factory()
        self._transports = [end for end in self._transports if not end.is_closing()]
        self._transports.append(MemoryTransport.pair(self._loop, protocol, self._accept()))
        return protocol

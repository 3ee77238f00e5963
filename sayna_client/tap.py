"""Notices bytes as they arrive, below the messages they become."""

from __future__ import annotations

import asyncio


class Tap(asyncio.Protocol):
    """Stands between a transport and its protocol and keeps the time of the last byte."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._time = asyncio.get_running_loop().time
        self.heard_at = self._time()

    @classmethod
    def on(cls, transport: asyncio.BaseTransport) -> Tap | None:
        """Put a tap on a transport; None if it has no protocol that can be tapped."""
        protocol = transport.get_protocol()
        if not isinstance(protocol, asyncio.Protocol):  # pragma: no cover - aiohttp's always is
            return None
        tap = cls(protocol)
        transport.set_protocol(tap)
        return tap

    def data_received(self, data: bytes) -> None:
        """Note the time and pass on."""
        self.heard_at = self._time()
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass on."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        self._protocol.resume_writing()

"""Every limit of a client in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sayna_client.checks import above_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes; each must be above 0.

    Attributes:
        open: TCP, TLS and the WebSocket handshake.
        ready: from the open socket to `ready`; a server may take 30 + 30 + 10 s
            (websocket.md 4.2.5).
        send: until the operating system took a frame.
        close: all that `disconnect()` waits for: handlers at work, calls in flight, the Close.
        request: one REST call with its retries.
        heartbeat: silence after which we ping; the peer is dead after as long again. None: off.
        events: how many may wait for handlers and iterators; then reading stops for a while.
        audio: bytes of audio waiting likewise.
        message: the largest message accepted from the server.
    """

    open: float = 10.0
    ready: float = 75.0
    send: float = 10.0
    close: float = 1.0
    request: float = 300.0
    heartbeat: float | None = 30.0
    events: int = 1_000
    audio: int = 8 * 1024 * 1024
    message: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.name != "heartbeat":
                above_zero(f"Limits.{field.name}", value)

"""Connections of a loop: is the other end outside of it, are bytes still on their way inside?"""

from __future__ import annotations

import _socket
import asyncio
import selectors
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

if sys.platform == "linux":  # pragma: no branch - what others do not tell
    import fcntl
    import termios

__all__ = ["alone", "in_flight", "other_ends"]

_UNSENT: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class _End:
    """One watched descriptor. The names are what the operating system calls its two ends."""

    fd: int
    events: int
    kind: str
    name: object = None
    peer: object = None
    unsent: int = 0


def alone(loop: Any) -> bool:
    """Whether `loop` watches no descriptor but its own, by which other threads wake it."""
    watched: Mapping[int, selectors.SelectorKey] = loop._selector.get_map()
    own: int = loop._internal_fds
    return len(watched) <= own


def other_ends(loop: asyncio.AbstractEventLoop) -> str | None:
    """The first connection from which `loop` may still hear, or None.

    A connection whose two ends are both in this loop owes nothing; neither does one that nobody
    reads from, such as a pooled HTTP connection between two requests.
    """
    if alone(loop):
        return None
    inner: Any = loop
    ends = list(_watched(inner))
    transports: Mapping[int, asyncio.Transport] = inner._transports
    paused = (_look(fd, 0) for fd in tuple(transports) if fd not in inner._selector.get_map())
    here = {end.name for end in (*ends, *paused) if end.name}
    for end in ends:
        if end.kind and end.peer not in here and not _idle(transports.get(end.fd), end.events):
            return end.kind
    return None


def in_flight(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether bytes are on their way between two watched ends of `loop`."""
    if alone(loop):
        return False
    ends = list(_watched(loop))
    reading = {end.name for end in ends if end.events & selectors.EVENT_READ}
    return any(end.unsent and end.peer in reading for end in ends)


def _watched(loop: Any) -> Iterator[_End]:
    watched: Mapping[int, selectors.SelectorKey] = loop._selector.get_map()
    own = loop._ssock.fileno()
    for fd, key in watched.items():
        if fd != own:
            yield _look(fd, key.events)


def _look(fd: int, events: int) -> _End:
    try:
        # Below what plugins replace to forbid opening sockets.
        borrowed = _socket.socket(fileno=fd)
    except OSError:
        return _End(fd, events, "a pipe or a process")
    try:
        name = borrowed.getsockname()
        try:
            peer = borrowed.getpeername()
        except OSError:
            return _End(fd, events, _unconnected(borrowed, events), name)
        if borrowed.family == socket.AF_UNIX:
            return _End(fd, events, f"the connection to {peer or name or 'a pair'}", name, peer)
        kind = f"the connection to {peer[0]}:{peer[1]}"
        return _End(fd, events, kind, name, peer, _unsent(fd))
    finally:
        borrowed.detach()


def _unconnected(sock: _socket.socket, events: int) -> str:
    """A listener and an unconnected datagram socket are owed nothing in particular."""
    listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    )
    return "a connection being made" if events & selectors.EVENT_WRITE and not listens else ""


def _unsent(fd: int) -> int:
    """Bytes sent that the other end's system has not got yet; 0 where that is not told."""
    if sys.platform != "linux":
        return 0  # pragma: no cover - as above
    return int.from_bytes(fcntl.ioctl(fd, termios.TIOCOUTQ, _UNSENT), sys.byteorder)


def _idle(transport: asyncio.Transport | None, events: int) -> bool:
    """Whether nobody waits for what the connection may bring; False when that cannot be told."""
    if transport is None or events & selectors.EVENT_WRITE:
        return False
    protocol: Any = transport.get_protocol()
    protocol = getattr(protocol, "_app_protocol", protocol)  # behind TLS
    if isinstance(protocol, asyncio.StreamReaderProtocol):
        reader: Any = getattr(protocol, "_stream_reader", None)
        return not getattr(reader, "_waiter", None)
    if hasattr(protocol, "read_event"):  # anyio, and so httpx
        return not protocol.read_event._waiters
    if type(protocol).__module__ == "aiohttp.client_proto":
        return not protocol._waiter and not getattr(protocol._payload, "_waiter", None)
    return False

"""A lazy TCP listener: bound where it is made, served in a thread that starts with a connection.

One acceptor thread serves every listener of the process; it starts with the first listener and only
accepts. A listener's own loop and thread start with its first connection, so a test that never
leaves memory pays for one bound socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Final, cast

__all__ = ["TcpListener"]

_BLIND: Final = tuple(
    getattr(selectors, name)
    for name in ("SelectSelector", "PollSelector", "DevpollSelector")
    if hasattr(selectors, name)
)

# How long handlers may take to end once their connections are gone, in seconds.
_SHUTDOWN: Final = 0.05


class TcpListener:
    """Listens on 127.0.0.1; `accept` returns a fresh server protocol inside the serving loop.

    `host` and `port` are bound when the constructor returns; its errors (`OSError`, or what a
    plugin that blocks sockets raises) surface in the caller.
    """

    host: Final = "127.0.0.1"

    def __init__(self, accept: Callable[[], asyncio.Protocol]) -> None:
        self._accept = accept
        self._lock = threading.Lock()
        self._service: _Service | None = None
        self._closed = False
        acceptor = _Acceptor.get()
        self._socket = socket.create_server((self.host, 0), backlog=1024)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        acceptor.add(self._socket, self._serve)

    def close(self, timeout: float = 1.0) -> None:
        """Stop listening, drop every connection and join the thread, at most `timeout` seconds."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        _Acceptor.get().remove(self._socket)
        self._socket.close()
        if self._service:
            self._service.stop(timeout)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            if self._closed:  # pragma: no cover - only when both happen at once
                connection.close()
                return
            if self._service is None:
                self._service = _Service(self._accept, f"sayna-serve-{self.port}")
        self._service.serve(connection)


class _Service:
    """A loop in a daemon thread, and the connections it serves."""

    def __init__(self, accept: Callable[[], asyncio.Protocol], name: str) -> None:
        self._accept = accept
        self._loop = asyncio.new_event_loop()
        self._openings: set[asyncio.Task[None]] = set()
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def serve(self, connection: socket.socket) -> None:
        self._post(self._open, connection)

    def stop(self, timeout: float) -> None:
        self._post(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _post(self, callback: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop closed meanwhile: nothing left to do
            self._loop.call_soon_threadsafe(callback, *args)

    def _open(self, connection: socket.socket) -> None:
        opening = self._loop.create_task(self._connect(connection))
        self._openings.add(opening)
        opening.add_done_callback(self._openings.discard)

    async def _connect(self, connection: socket.socket) -> None:
        transport, _ = await self._loop.connect_accepted_socket(self._accept, connection)
        self._transports.add(transport)

    def _abort(self) -> None:
        for transport in tuple(self._transports):
            transport.abort()

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            self._abort()
            loop.run_until_complete(_end_tasks())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _end_tasks() -> None:
    """Cancel what is still at work and give it a moment to end."""
    await asyncio.sleep(0)  # connection_lost first: it ends most handlers by itself
    others = asyncio.all_tasks() - {cast("asyncio.Task[None]", asyncio.current_task())}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_SHUTDOWN)


class _Acceptor:
    """The thread that accepts for every listener of the process."""

    _instance: _Acceptor | None = None
    _lock = threading.Lock()

    @classmethod
    def get(cls) -> _Acceptor:
        with cls._lock:
            if cls._instance is None or cls._instance.pid != os.getpid():  # threads end at a fork
                cls._instance = _Acceptor()
            return cls._instance

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._wake)
        threading.Thread(target=self._run, name="sayna-accept", daemon=True).start()

    def add(self, listener: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
        def ready() -> None:
            connection, _ = listener.accept()
            accepted(connection)

        self._selector.register(listener, selectors.EVENT_READ, ready)
        self._tell()

    def remove(self, listener: socket.socket) -> None:
        self._selector.unregister(listener)
        self._tell()

    def _tell(self) -> None:
        """Let a running `select` see a change; epoll and kqueue see it by themselves."""
        if isinstance(self._selector, _BLIND):  # pragma: no cover - neither Linux nor macOS
            self._waker.send(b"\0")

    def _wake(self) -> None:  # pragma: no cover - as above
        self._woken.recv(4096)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                # A listener may close, and a client may give up, between select and accept.
                with contextlib.suppress(OSError):
                    key.data()

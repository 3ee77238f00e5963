"""One WebSocket from the handshake to its end; knows nothing of sessions, handlers or retries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiohttp

from sayna_client.errors import SaynaConnectionError, SaynaTimeoutError
from sayna_client.events import ConnectionClosed
from sayna_client.lanes import Backlog, enter_reader
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network, connection_failure
from sayna_client.tap import Tap
from sayna_client.timing import time_limit
from sayna_client.urls import shown

_OPENING = "Failed to connect to WebSocket: "
# Names of their own: a look-up in the enum costs as much as a comparison, for every message.
_TEXT, _BINARY = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY
_PING, _PONG = aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG


class Connection:
    """An open socket."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession | None,
        tap: Tap | None,
        limits: Limits,
    ) -> None:
        self._socket = socket
        self._session = session
        self._tap = tap
        self._limits = limits
        self._time = asyncio.get_running_loop().time
        self._heard_at = self._time()
        self._pausing = False
        self._dead = ""

    @classmethod
    async def open(cls, network: Network, limits: Limits) -> Connection:
        """Make the handshake.

        Raises:
            SaynaConnectionError: no server there, or it refused; `cause.status` has an HTTP status.
            SaynaTimeoutError: not open within `limits.open`.
        """
        taps: list[Tap | None] = []
        owned = None if network.session is not None else network.open_session(_tapping(taps))
        session = owned or network.session
        assert session is not None
        try:
            async with time_limit(limits.open, f"{_OPENING}not open"):
                socket = await session.ws_connect(
                    network.targets.websocket_url(),
                    headers=network.request_headers(),
                    proxy=network.proxy,
                    ssl=network.ssl,
                    autoclose=False,
                    autoping=False,
                    # aiohttp refuses a message of exactly this size.
                    max_msg_size=limits.message + 1,
                )
        except BaseException as error:
            if owned is not None:
                await owned.close()
            failure = _opening_failure(error)
            if failure is None:
                raise
        else:
            logger.info("Connected to %s", shown(network.targets.websocket))
            return cls(socket, owned, taps[-1] if taps else None, limits)
        raise failure

    async def read(
        self,
        on_text: Callable[[str], None],
        on_audio: Callable[[bytes], None],
        backlog: Backlog,
    ) -> ConnectionClosed:
        """Read to the end; while the backlog is full, stop reading."""
        enter_reader()
        receive, timed = self._socket.receive, self._tap is None
        while True:
            kind, data, extra = await receive()
            if kind is _TEXT:
                on_text(data)
            elif kind is _BINARY:
                on_audio(data)
            elif kind is _PING:
                await self._pong(data)
            elif kind is not _PONG:
                return self._end(kind, data, extra)
            if timed:
                self._heard_at = self._time()
            if backlog.hold:
                await self._pause(backlog)

    async def send(self, data: str | bytes, kind: str) -> None:
        """Send one message; `kind` names it in errors.

        Raises:
            SaynaConnectionError: the connection is gone.
            SaynaTimeoutError: it was not taken within `limits.send`.
        """
        logger.debug("Sending %s", kind)
        try:
            async with asyncio.timeout(self._limits.send):
                if isinstance(data, str):
                    await self._socket.send_str(data)
                else:
                    await self._socket.send_bytes(data)
        except TimeoutError:
            failure: SaynaConnectionError = SaynaTimeoutError(
                f"Failed to send {kind} message: it was not taken within {self._limits.send:g} s"
            )
        except (aiohttp.ClientError, OSError) as error:
            failure = connection_failure(f"Failed to send {kind} message: ", error)
        else:
            return
        raise failure

    async def keep_alive(self, heartbeat: float) -> None:
        """Ping after `heartbeat` seconds of silence; end the connection after as long again.

        The server answers pings only between commands (websocket.md 2), so this starts after
        `ready`. While we ourselves do not read, silence says nothing.
        """
        while (silence := self._time() - self._last_heard()) < 2 * heartbeat:
            if silence < heartbeat:
                await asyncio.sleep(heartbeat - silence)
            else:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._socket.ping()
                await asyncio.sleep(2 * heartbeat - silence)
        self._dead = f"no sign of life for {silence:.3g} s"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await self._socket.close()

    async def close(self, limit: float) -> ConnectionClosed:
        """Say good-bye, wait for the answer up to `limit` seconds, then drop the connection."""
        clean = False
        try:
            # aiohttp's own limit starts anew with each message of a chatty peer; this one does not.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    clean = await self._socket.close() and self._socket.exception() is None
        finally:
            if self._session is not None:
                await self._session.close()
        code = self._socket.close_code if clean else None
        return ConnectionClosed(code or None, "", "client", clean=clean)

    def _last_heard(self) -> float:
        if self._pausing:
            self._heard_at = self._time()
        return max(self._heard_at, self._tap.heard_at if self._tap is not None else 0.0)

    async def _pong(self, data: bytes) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._socket.pong(data)

    async def _pause(self, backlog: Backlog) -> None:
        self._pausing = True
        try:
            await backlog.pause()
        finally:
            self._pausing = False
            self._heard_at = self._time()

    def _end(self, kind: aiohttp.WSMsgType, data: Any, extra: str | None) -> ConnectionClosed:
        """Say how the connection ended."""
        if self._dead:
            return ConnectionClosed(None, self._dead, "network", clean=False)
        if kind is aiohttp.WSMsgType.CLOSE:
            # A Close without a number is how Sayna ends a session (websocket.md 9.4).
            return ConnectionClosed(data or None, extra or "", "server", clean=True)
        if isinstance(data, aiohttp.WebSocketError):
            return ConnectionClosed(data.code, str(data), "client", clean=False)
        # aiohttp only tells of its own Close, which it could not write to what had been cut.
        return ConnectionClosed(None, "the connection was lost", "network", clean=False)


def _tapping(taps: list[Tap | None]) -> aiohttp.TraceConfig:
    """Return a trace that taps the connection of a request once it is answered."""

    async def on_request_end(
        session: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestEndParams
    ) -> None:
        connection = params.response.connection
        if connection is not None and connection.transport is not None:
            taps.append(Tap.on(connection.transport))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(on_request_end)
    return trace


def _opening_failure(error: BaseException) -> SaynaConnectionError | None:
    if isinstance(error, SaynaConnectionError):
        return error
    if isinstance(error, aiohttp.ClientError | OSError):
        return connection_failure(_OPENING, error)
    if isinstance(error, Exception):
        return connection_failure("Unexpected error during connection: ", error)
    return None

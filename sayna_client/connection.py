"""One WebSocket from the handshake to its end; knows nothing of sessions, handlers or retries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp

from sayna_client.dispatcher import ConnectionClosed
from sayna_client.errors import SaynaConnectionError, SaynaTimeoutError
from sayna_client.lanes import Backlog
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network, connection_failure
from sayna_client.urls import shown

_OPENING = "Failed to connect to WebSocket: "


class Connection:
    """An open socket."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession | None,
        limits: Limits,
    ) -> None:
        self._socket = socket
        self._session = session
        self._limits = limits

    @classmethod
    async def open(cls, network: Network, limits: Limits) -> Connection:
        """Make the handshake.

        Raises:
            SaynaConnectionError: no server there, or it refused; `cause.status` has an HTTP status.
            SaynaTimeoutError: not open within `limits.open`.
        """
        owned = None if network.session is not None else network.open_session()
        session = network.session or owned
        assert session is not None
        try:
            async with asyncio.timeout(limits.open):
                socket = await session.ws_connect(
                    network.targets.websocket_url(),
                    headers=network.request_headers(),
                    proxy=network.proxy,
                    ssl=network.ssl,
                    autoclose=False,
                    max_msg_size=limits.message,
                )
        except BaseException as error:
            if owned is not None:
                await owned.close()
            failure = _opening_failure(error, limits)
            if failure is None:
                raise
        else:
            logger.info("Connected to %s", shown(network.targets.websocket))
            return cls(socket, owned, limits)
        raise failure

    async def read(
        self,
        on_text: Callable[[str], None],
        on_audio: Callable[[bytes], None],
        backlog: Backlog,
    ) -> ConnectionClosed:
        """Read to the end; stop reading while the backlog is full."""
        receive = self._socket.receive
        while True:
            kind, data, extra = await receive()
            if kind is aiohttp.WSMsgType.TEXT:
                on_text(data)
            elif kind is aiohttp.WSMsgType.BINARY:
                on_audio(data)
            elif kind is aiohttp.WSMsgType.CLOSE:
                # A Close without a number is how Sayna ends a session (websocket.md 9.4).
                return ConnectionClosed(data or None, extra or "", "server", clean=True)
            else:
                return self._broken(data)
            if backlog.full:
                await backlog.room()

    async def send(self, data: str | bytes) -> None:
        """Send one message.

        Raises:
            SaynaConnectionError: the connection is gone.
            SaynaTimeoutError: it was not taken within `limits.send`.
        """
        try:
            async with asyncio.timeout(self._limits.send):
                if isinstance(data, str):
                    await self._socket.send_str(data)
                else:
                    await self._socket.send_bytes(data)
        except TimeoutError:
            failure: SaynaConnectionError = SaynaTimeoutError(
                f"Nothing could be sent for {self._limits.send} s"
            )
        except (aiohttp.ClientError, OSError) as error:
            failure = connection_failure("The connection is gone: ", error)
        else:
            return
        raise failure

    async def close(self, limit: float) -> ConnectionClosed:
        """Say good-bye, wait for the answer up to `limit` seconds, then drop the connection."""
        clean = False
        try:
            # aiohttp's own limit starts anew with each message of a chatty peer; this one does not.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await self._socket.close()
                    clean = self._socket.exception() is None
        finally:
            if self._session is not None:
                await self._session.close()
        code = self._socket.close_code if clean else None
        return ConnectionClosed(code or None, "", "client", clean=clean)

    def _broken(self, data: object) -> ConnectionClosed:
        error = self._socket.exception() or data
        reason = str(error) if isinstance(error, BaseException) else ""
        return ConnectionClosed(None, reason, "network", clean=False)


def _opening_failure(error: BaseException, limits: Limits) -> SaynaConnectionError | None:
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
        return SaynaTimeoutError(f"{_OPENING}not open within {limits.open} s")
    if isinstance(error, aiohttp.ClientError | OSError):
        return connection_failure(_OPENING, error)
    if isinstance(error, Exception):
        return connection_failure("Unexpected error during connection: ", error)
    return None

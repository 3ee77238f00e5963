"""A session: from the configuration to the end of its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from sayna_client import codec
from sayna_client.connection import Connection
from sayna_client.dispatcher import ConnectionClosed, Dispatcher
from sayna_client.errors import (
    SaynaConnectionError,
    SaynaError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
    SaynaRefusedError,
    SaynaTimeoutError,
)
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network
from sayna_client.types.commands import Command
from sayna_client.types.events import ErrorMessage, ReadyMessage, ServerMessage, UnknownMessage

State = Literal["disconnected", "connecting", "configuring", "ready", "closing"]

# `error` frames before `ready` that do not stop the configuration (websocket.md 4.2.5, 4.2.6, 8.5).
_NOT_REFUSALS = (
    "loading_audio",
    "Failed to set up TTS audio callback",
    "Failed to process",
    "STT streaming error",
    "TTS error",
)


class Session:
    """Opens, configures, reads and ends one connection; its `state` only goes forward."""

    def __init__(
        self,
        network: Network,
        config: Callable[[], str],
        limits: Limits,
        dispatcher: Dispatcher,
    ) -> None:
        self.state: State = "connecting"
        self.ready: ReadyMessage | None = None
        self.closed: ConnectionClosed | None = None
        self._network = network
        self._config = config
        self._limits = limits
        self._dispatcher = dispatcher
        self._connection: Connection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self.state in ("configuring", "ready")

    async def start(self, *, wait_ready: bool) -> None:
        """Open the socket and send the configuration; wait for the server's answer if asked."""
        try:
            frame = self._config()
            self._connection = await Connection.open(self._network, self._limits)
            self.state = "configuring"
            self._dispatcher.renew()
            self._reader = asyncio.get_running_loop().create_task(self._read(self._connection))
            await self._connection.send(frame)
            if wait_ready:
                await self.configured()
        except BaseException:
            await self.stop(0.0)
            raise

    async def configured(self) -> None:
        """Wait for `ready`.

        Raises:
            SaynaRefusedError: the server refused the configuration.
            SaynaConnectionError: it closed instead.
            SaynaTimeoutError: neither came within `limits.ready`.
        """
        try:
            async with asyncio.timeout(self._limits.ready):
                return await asyncio.shield(self._outcome)
        except TimeoutError:
            failure = SaynaTimeoutError(f"The server was not ready within {self._limits.ready} s")
        raise failure

    async def send(self, command: Command | bytes) -> None:
        """Send a command or audio.

        Raises:
            SaynaNotConnectedError, SaynaNotReadyError: too early or too late.
            SaynaConnectionError: it could not be sent.
        """
        self.check_ready()
        assert self._connection is not None
        await self._connection.send(
            command if isinstance(command, bytes) else codec.encode(command)
        )

    def check_ready(self) -> None:
        """Raise unless commands can be sent."""
        if not self.connected:
            raise SaynaNotConnectedError
        if self.state != "ready":
            raise SaynaNotReadyError

    async def stop(self, limit: float) -> None:
        """End the connection from our side, within `limit` seconds."""
        if self.state == "closing" or self.closed is not None:
            return
        self.state = "closing"
        closed = ConnectionClosed(None, "", "client", clean=False)
        try:
            if self._reader is not None:
                self._reader.cancel()
                await asyncio.wait([self._reader])
            if self._connection is not None:
                closed = await self._connection.close(limit)
        finally:
            self._finish(closed)

    async def _read(self, connection: Connection) -> None:
        closed = await connection.read(self._on_text, self._on_audio, self._dispatcher.backlog)
        if self.state != "closing":
            self.state = "closing"
            await connection.close(0.0)
            self._finish(closed)

    def _finish(self, closed: ConnectionClosed) -> None:
        opened = self._connection is not None
        self.state, self.closed = "disconnected", closed
        if not self._outcome.done():
            self._outcome.set_exception(
                SaynaConnectionError(
                    f"The connection was {closed} before the server was ready",
                    close_code=closed.code,
                    close_reason=closed.reason,
                )
            )
        self._outcome.exception()
        if opened:
            logger.info("The connection was %s", closed)
            self._dispatcher.end(closed)

    def _on_text(self, text: str) -> None:
        try:
            message = codec.decode(text)
        except codec.MalformedFrameError as error:
            logger.warning("%s", error)
            return
        if isinstance(message, UnknownMessage):
            logger.warning("Unknown message type: %s", message.type[:64])
            self._dispatcher.emit("unknown", message)
            return
        if self.state == "configuring":
            self._answer(message)
        self._dispatcher.emit(message.type, message)

    def _on_audio(self, audio: bytes) -> None:
        self._dispatcher.emit("tts_audio", audio, len(audio))

    def _answer(self, message: ServerMessage) -> None:
        if isinstance(message, ReadyMessage):
            self.ready, self.state = message, "ready"
            self._settle(None)
        elif isinstance(message, ErrorMessage) and not message.message.startswith(_NOT_REFUSALS):
            self._settle(
                SaynaRefusedError(f"The server refused the configuration: {message.message}")
            )

    def _settle(self, error: SaynaError | None) -> None:
        if not self._outcome.done():
            if error is None:
                self._outcome.set_result(None)
            else:
                self._outcome.set_exception(error)
                self._outcome.exception()

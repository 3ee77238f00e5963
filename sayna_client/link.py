"""A connection with its configuration: open, configured, alive, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from logging import DEBUG
from typing import Literal

from sayna_client.codec import KNOWN_TYPES, MalformedFrameError, decode
from sayna_client.connection import Connection
from sayna_client.dispatcher import Dispatcher
from sayna_client.errors import SaynaError, SaynaRefusedError
from sayna_client.events import ConnectionClosed, end_error
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network
from sayna_client.timing import time_limit

# `error` frames before `ready` that do not stop the configuration (websocket.md 4.2.5, 4.2.6, 8.5).
_NOT_REFUSALS = (
    "loading_audio",
    "Failed to set up TTS audio callback",
    "Failed to process",
    "STT streaming error",
    "TTS error",
)

# From `ready` over the shared attempt to whoever awaits it, with room for a task around that.
_TURNS_TO_CALLER = 8


class Link:
    """One socket of a session; its `state` only goes forward."""

    def __init__(
        self,
        network: Network,
        limits: Limits,
        dispatcher: Dispatcher,
        ended: Callable[[ConnectionClosed], None],
    ) -> None:
        self.state: Literal["connecting", "configuring", "ready", "closed"] = "connecting"
        self.closed: ConnectionClosed | None = None
        self._network = network
        self._limits = limits
        self._backlog = dispatcher.backlog
        self._emit = dispatcher.emit
        self._ended = ended
        self._connection: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def opened(self) -> bool:
        """Whether the handshake was made."""
        return self._connection is not None

    async def open(self, config: str) -> None:
        """Open the socket and send the configuration; on any failure nothing is left open."""
        try:
            self._connection = await Connection.open(self._network, self._limits)
            self.state = "configuring"
            self._start(self._read(self._connection))
            await self._connection.send(config, "config")
        except BaseException:
            await self.close(0.0)
            raise

    async def configured(self) -> None:
        """Wait for `ready`; on any failure nothing is left open.

        Raises:
            SaynaRefusedError: the server refused the configuration.
            SaynaConnectionError: it closed instead.
            SaynaTimeoutError: neither came within `limits.ready`.
        """
        try:
            if not self._outcome.done():
                async with time_limit(self._limits.ready, "The server was not ready"):
                    await asyncio.wait([self._outcome])
            self._outcome.result()
        except BaseException:
            await self.close(0.0)
            raise

    async def send(self, data: str | bytes, kind: str) -> None:
        """Send one message; the state is the caller's to check."""
        assert self._connection is not None
        await self._connection.send(data, kind)

    async def close(self, limit: float) -> None:
        """End the connection from our side; wait up to `limit` seconds for the server's Close."""
        if self.state != "closed":
            self.state = "closed"
            await self._release(None, limit)

    def on_ready(self) -> None:
        """Take the server's consent."""
        if self.state == "configuring" and self._connection is not None:
            self.state = "ready"
            self._settle(None)
            # Who awaits connect() gets control before the next frame is read.
            self._backlog.give_way(_TURNS_TO_CALLER)
            if self._limits.heartbeat is not None:
                self._start(self._connection.keep_alive(self._limits.heartbeat))

    def on_error(self, text: str) -> None:
        """Take the server's refusal, if it is one."""
        if self.state == "configuring" and not text.startswith(_NOT_REFUSALS):
            self._settle(SaynaRefusedError(f"The server refused the configuration: {text}"))

    async def _read(self, connection: Connection) -> None:
        # Nobody but a loop that is shut down cancels this before close() has set the state.
        closed = ConnectionClosed(None, "the event loop was shut down", "client", clean=False)
        try:
            on_text = self._on_text_shown if logger.isEnabledFor(DEBUG) else self._on_text
            closed = await connection.read(on_text, self._on_audio, self._backlog)
        finally:
            if self.state != "closed":
                self.state = "closed"
                await self._release(closed, 0.0)

    async def _release(self, end: ConnectionClosed | None, limit: float) -> None:
        """Stop our tasks, then the connection, whatever is cancelled meanwhile; then tell."""
        closed = end or ConnectionClosed(None, "", "client", clean=False)
        try:
            await self._stop_tasks()
        except BaseException:
            limit = 0.0
            raise
        finally:
            try:
                if self._connection is not None:
                    answer = await self._connection.close(limit)
                    closed = end or answer
            finally:
                self._finish(closed)

    def _on_text(self, text: str) -> None:
        try:
            message = decode(text)
        except MalformedFrameError as error:
            logger.warning("%s", error)
            return
        kind = message.type
        if kind in KNOWN_TYPES:
            self._emit(kind, message)
        else:
            logger.warning("Unknown message type: %s", kind[:64])
            self._emit("unknown", message)

    def _on_text_shown(self, text: str) -> None:
        logger.debug("Received %s", text)
        self._on_text(text)

    def _on_audio(self, audio: bytes) -> None:
        self._emit("tts_audio", audio, len(audio))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _stop_tasks(self) -> None:
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    def _finish(self, closed: ConnectionClosed) -> None:
        self.closed = closed
        self._settle(end_error(closed, "before the server was ready"))
        if self.opened:
            self._ended(closed)

    def _settle(self, error: SaynaError | None) -> None:
        if not self._outcome.done():
            if error is None:
                self._outcome.set_result(None)
            else:
                self._outcome.set_exception(error)
                # Nobody has to ask for it: with wait_ready=False nobody does.
                self._outcome.exception()

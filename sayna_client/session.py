"""A session: one connect() to its end, over one connection or, with a policy, several."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal

from sayna_client import codec, types
from sayna_client.dispatcher import Dispatcher
from sayna_client.errors import (
    SaynaConnectionError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
)
from sayna_client.events import ConnectionClosed, Reconnecting
from sayna_client.limits import Limits
from sayna_client.link import Link
from sayna_client.log import logger
from sayna_client.network import Network
from sayna_client.reconnect import ReconnectPolicy, is_final, is_loss
from sayna_client.speech import Speech

State = Literal["disconnected", "connecting", "configuring", "ready", "reconnecting", "closing"]


class Session:
    """Connects, sends, reconnects and stops; what it hears goes to the dispatcher."""

    def __init__(
        self,
        network: Network,
        config: Callable[[bool], str],
        limits: Limits,
        dispatcher: Dispatcher,
        policy: ReconnectPolicy | None,
    ) -> None:
        self.ready: types.ReadyMessage | None = None
        self.closed: ConnectionClosed | None = None
        self.speech = Speech()
        self._network = network
        self._config = config
        self._limits = limits
        self._dispatcher = dispatcher
        self._policy = policy
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._ready_at = 0.0
        self._attempt = 0
        self._reconnecting: asyncio.Task[None] | None = None
        self._link = self._new_link()

    @property
    def over(self) -> bool:
        """Whether there is nothing to end: it has ended, or its event loop is gone."""
        return self.closed is not None or self._loop.is_closed()

    @property
    def state(self) -> State:
        """Where the session stands."""
        if self.over:
            return "disconnected"
        if self._stopping:
            return "closing"
        if self._reconnecting is not None:
            return "reconnecting"
        return "closing" if self._link.state == "closed" else self._link.state

    async def start(self, *, wait_ready: bool) -> None:
        """Open the connection and send the configuration; wait for the server's answer if asked."""
        self._dispatcher.renew()
        slots = self._dispatcher.slots
        slots["ready"].tap = self._on_ready
        slots["error"].tap = self._on_error
        slots["sip_transfer_error"].tap = _log_error
        slots["tts_playback_complete"].tap = self._on_playback_complete
        for event in ("participant_connected", "participant_disconnected", "track_subscribed"):
            slots[event].tap = _log_event
        try:
            await self._link.open(self._config(False))
            if wait_ready:
                await self._link.configured()
        except BaseException as error:
            self._finish(ConnectionClosed(None, str(error), "network", clean=False))
            if self._stopping and isinstance(error, asyncio.CancelledError):
                raise SaynaConnectionError("disconnect() was called while connecting") from None
            raise

    async def configured(self) -> None:
        """Wait for `ready`, as Link.configured() does."""
        await self._link.configured()

    async def send(self, data: types.Command | bytes) -> None:
        """Send a command or audio.

        Raises:
            SaynaNotConnectedError, SaynaNotReadyError: too early or too late.
            SaynaConnectionError: it could not be sent.
        """
        self.check_ready()
        if isinstance(data, bytes):
            await self._link.send(data, "audio")
        else:
            await self._link.send(codec.encode(data), data.type)

    def check_ready(self) -> None:
        """Raise unless commands can be sent."""
        state = self.state
        if state == "configuring":
            raise SaynaNotReadyError
        if state == "reconnecting":
            raise SaynaNotConnectedError("Not connected: reconnecting, wait for `ready`")
        if state != "ready":
            raise SaynaNotConnectedError
        self.check_loop()

    def check_loop(self) -> None:
        """Raise unless the running event loop is the one that it lives in."""
        if asyncio.get_running_loop() is not self._loop:
            raise SaynaNotConnectedError(
                "Not connected in this event loop: connect() was called in another one"
            )

    def give_up_connecting(self) -> None:
        """Let start() say that it was stopped when it is cancelled now."""
        self._stopping = True

    async def drain(self, limit: float) -> None:
        """Wait until what was asked for has been said, up to `limit` seconds."""
        with contextlib.suppress(SaynaConnectionError, TimeoutError):
            async with asyncio.timeout(limit):
                await self.speech.silence()

    async def stop(self, limit: float) -> None:
        """End the session from our side; the server's Close is waited for up to `limit` seconds."""
        if self.over:
            return
        self._stopping = True
        try:
            if self._reconnecting is not None:
                self._reconnecting.cancel()
                await asyncio.wait([self._reconnecting])
        finally:
            await self._link.close(limit)
            self._finish(ConnectionClosed(None, "", "client", clean=False))

    def _new_link(self) -> Link:
        return Link(self._network, self._limits, self._dispatcher, self._on_end)

    def _on_ready(self, message: types.ReadyMessage) -> None:
        self.ready = message
        self._ready_at = asyncio.get_running_loop().time()
        self._reconnecting = None
        logger.info("Ready, stream %s", message.stream_id)
        self._link.on_ready()

    def _on_error(self, message: types.ErrorMessage) -> None:
        _log_error(message)
        self._link.on_error(message.message)
        self.speech.failed(message.message)

    def _on_playback_complete(self, _: types.TTSPlaybackCompleteMessage) -> None:
        self.speech.completed()

    def _on_end(self, closed: ConnectionClosed) -> None:
        """Decide what the end of the connection means."""
        self.speech.ended(closed)
        if self._reconnecting is not None:
            return
        ran = self.ready is not None and not self._stopping
        if self._policy is not None and ran and is_loss(closed):
            work = self._reconnect(self._policy, closed)
            self._reconnecting = asyncio.get_running_loop().create_task(work)
        else:
            self._finish(closed)

    async def _reconnect(self, policy: ReconnectPolicy, closed: ConnectionClosed) -> None:
        """Try until it works, is pointless, or the policy says that it is enough."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + policy.within
        if loop.time() - self._ready_at >= policy.stable:
            self._attempt = 0
        while self._attempt < policy.attempts:
            delay = policy.delay(self._attempt)
            if loop.time() + delay >= deadline:
                break
            self._attempt += 1
            self._dispatcher.emit("reconnecting", Reconnecting(self._attempt, delay, closed))
            await asyncio.sleep(delay)
            try:
                async with asyncio.timeout_at(deadline):
                    await self._try_again()
            except (SaynaConnectionError, TimeoutError) as error:
                logger.info("Attempt %d to reconnect failed: %s", self._attempt, error)
                if isinstance(error, SaynaConnectionError) and is_final(error):
                    closed = ConnectionClosed(error.close_code, str(error), "server", clean=False)
                    break
            else:
                return
        self._reconnecting = None
        self._finish(closed)

    async def _try_again(self) -> None:
        self._link = self._new_link()
        await self._link.open(self._config(True))
        await self._link.configured()

    def _finish(self, closed: ConnectionClosed) -> None:
        if self.closed is None:
            opened = self._link.opened or self.ready is not None
            self.closed = closed
            self.speech.ended(closed)
            if opened:
                logger.info("The connection was %s", closed)
                self._dispatcher.end(closed)


def _log_error(message: types.ErrorMessage | types.SipTransferErrorMessage) -> None:
    logger.error("The server reports %s: %s", message.type, message.message)


def _log_event(message: types.KnownMessage) -> None:
    logger.info("Received %s", message.type)  # who it is about stays out of the log

"""SaynaClient: a thin front over the session, the REST client and the dispatcher."""

from __future__ import annotations

import asyncio
import inspect
import os
import ssl as _ssl
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp

from sayna_client import checks, codec, types, urls
from sayna_client.commands import Commands
from sayna_client.connecting import Connecting
from sayna_client.credentials import resolve_config_auth
from sayna_client.dispatcher import Dispatcher
from sayna_client.doors import Doors
from sayna_client.errors import SaynaValidationError
from sayna_client.events import ConnectionClosed, Counters
from sayna_client.flight import Flight
from sayna_client.http_client import SaynaHttpClient
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network
from sayna_client.reconnect import ReconnectPolicy
from sayna_client.rest_api import RestApi
from sayna_client.session import Session, State


class SaynaClient(RestApi, Commands, Doors):
    """A client of one Sayna server: REST calls at any time, a session while connected.

    `api_key=None` takes SAYNA_API_KEY, an empty one sends none. A `session` of the application is
    used and never closed. With `strict=True` what handlers raise is raised by `disconnect()`.

    Raises:
        SaynaValidationError: the URL, a configuration or a limit is not usable.
    """

    def __init__(
        self,
        url: str,
        stt_config: types.STTConfig | None = None,
        tts_config: types.TTSConfig | None = None,
        livekit_config: types.LiveKitConfig | None = None,
        without_audio: bool = False,
        api_key: str | None = None,
        stream_id: str | None = None,
        loading_audio: types.LoadingAudioConfig | None = None,
        *,
        limits: Limits | None = None,
        reconnect: ReconnectPolicy | None = None,
        strict: bool = False,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ssl: _ssl.SSLContext | bool = True,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        __tracebackhide__ = True  # pytest would print the key
        targets = urls.targets(url)
        _check_configs(stt_config, tts_config, livekit_config, without_audio, loading_audio)
        checks.instance("api_key", api_key, str)
        checks.instance("stream_id", stream_id, str)
        checks.instance("limits", limits, Limits)
        checks.instance("reconnect", reconnect, ReconnectPolicy)
        checks.instance("headers", headers, Mapping)
        urls.check_proxy(proxy)
        checks.instance_of("ssl", ssl, _ssl.SSLContext, bool)
        checks.instance("session", session, aiohttp.ClientSession)
        self.url = url
        self.base_url = urls.base_url(url)
        self.api_key = os.environ.get("SAYNA_API_KEY") if api_key is None else api_key
        self.stt_config = stt_config
        self.tts_config = tts_config
        self.livekit_config = livekit_config
        self.without_audio = without_audio
        self.audio_enabled = not without_audio
        self.stream_id = stream_id
        self.loading_audio = loading_audio
        self.limits = limits or Limits()
        self.reconnect = reconnect
        self._network = Network(
            targets=targets,
            api_key=self.api_key,
            headers=headers or {},
            proxy=proxy,
            ssl=ssl,
            session=session,
        )
        self._connecting: Flight | None = None
        self._closing: Flight | None = None
        http = SaynaHttpClient(
            self.base_url, self.api_key, network=self._network, limits=self.limits
        )
        RestApi.__init__(self, http)
        Doors.__init__(self, Dispatcher(self.limits, strict=strict))

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._session.state if self._session is not None else "disconnected"

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self.state in ("configuring", "ready")

    @property
    def ready(self) -> bool:
        """Whether the server takes commands."""
        return self.state == "ready"

    @property
    def closed(self) -> ConnectionClosed | None:
        """How the last session ended; None before the first end and during a session."""
        return self._session.closed if self._session is not None else None

    @property
    def counters(self) -> Counters:
        """What was received so far and what is waiting."""
        return self._dispatcher.counters()

    @property
    def livekit_room_name(self) -> str | None:
        """The room of this session."""
        return self._granted.livekit_room_name

    @property
    def livekit_url(self) -> str | None:
        """Where LiveKit is, for participants of this session."""
        return self._granted.livekit_url

    @property
    def sayna_participant_identity(self) -> str | None:
        """Who Sayna is in the room of this session."""
        return self._granted.sayna_participant_identity

    @property
    def sayna_participant_name(self) -> str | None:
        """What Sayna is called in the room of this session."""
        return self._granted.sayna_participant_name

    @property
    def received_stream_id(self) -> str | None:
        """The stream id of this session, and after its end of the last one, for its recording."""
        ready = self._session.ready if self._session is not None else None
        return ready.stream_id if ready is not None else None

    def connect(self, *, wait_ready: bool = True) -> Connecting[Self]:
        """Open the connection, send the configuration and wait for `ready`.

        To be awaited, or entered with `async with`, which disconnects at the end. Calls at the same
        time share one connection. With `wait_ready=False` it returns once the config is sent.

        Raises:
            SaynaValidationError: Google credentials that cannot be read; no socket was opened.
            SaynaConnectionError: no connection, or it was closed; see `cause` and `close_code`.
            SaynaRefusedError: the server refused the configuration, in its own words.
            SaynaTimeoutError: `Limits.open` or `Limits.ready` passed.
        """
        return Connecting(self._connect(wait_ready), self)

    async def disconnect(self, *, drain: float = 0.0) -> None:
        """End the session and everything this client opened, REST included, within `Limits.close`.

        `drain` seconds are given to speech to come to its end first. Handlers at work may finish
        within the limit and are cancelled then; the one that calls this is not waited for.

        Raises:
            Exception: in strict mode, what handlers raised.
        """
        if self._session is None or self._session.over:
            logger.warning("Not connected")
        await self._end(checks.not_negative("drain", drain))
        self._dispatcher.raise_failures()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._end(0.0)
        if kind is None:
            self._dispatcher.raise_failures()

    async def _connect(self, wait_ready: bool) -> None:
        session = self._session_here()
        if self._closing is not None and not self._closing.done:
            await self._closing.join()
        flight = self._connecting
        if session is None or flight is None or session.over:
            session = self._session = self._new_session()
            flight = self._connecting = Flight(session.start(wait_ready=wait_ready))
        elif flight.done:
            logger.warning("Already connected")
        try:
            await flight.join()
        except asyncio.CancelledError:
            if flight.abandoned:
                await session.stop(0.0)
            raise
        if wait_ready:
            await session.configured()

    def _session_here(self) -> Session | None:
        """Return the latest session; one that is not over must live in the running loop."""
        session = self._session
        if session is not None and not session.over:
            session.check_loop()
        return session

    def _new_session(self) -> Session:
        policy = self.reconnect
        if policy is not None and self.livekit_config is not None and not policy.with_livekit:
            policy = None
        return Session(self._network, self._config_frame, self.limits, self._dispatcher, policy)

    async def _end(self, drain: float) -> None:
        session, limit, loop = self._session_here(), self.limits.close, asyncio.get_running_loop()
        deadline = loop.time() + limit
        with self._dispatcher.leaving():
            try:
                if self._connecting is not None and not self._connecting.done and session:
                    session.give_up_connecting()
                    await self._connecting.cancel()
                if session is not None and not session.over:
                    await session.drain(drain)
                    deadline = loop.time() + limit
                    await self._stop(session, limit)
                await self._dispatcher.settle(max(deadline - loop.time(), 0.0))
                await self._http_client.close(max(deadline - loop.time(), 0.0))
            except BaseException:
                await self._abandon(session)
                raise

    async def _stop(self, session: Session, limit: float) -> None:
        if self._closing is None or self._closing.done:
            self._closing = Flight(session.stop(limit))
        await self._closing.join()

    async def _abandon(self, session: Session | None) -> None:
        """Release everything at once: whoever waits for the end was cancelled."""
        if session is not None:
            await session.stop(0.0)
        await self._dispatcher.settle(0.0)
        await self._http_client.close(0.0)

    @property
    def _granted(self) -> types.ReadyMessage:
        """What the server granted to the session that is on."""
        ready = self._session.ready if self._session is not None and self.connected else None
        return ready or types.ReadyMessage()

    def _config_frame(self, again: bool) -> str:
        """Encode the configuration; a session that is made again gets a stream id of its own."""
        return codec.encode(
            types.ConfigMessage(
                stream_id=None if again else self.stream_id,
                audio=self.audio_enabled,
                stt_config=resolve_config_auth(self.stt_config),
                tts_config=resolve_config_auth(self.tts_config),
                livekit=self.livekit_config,
                loading_audio=self.loading_audio,
            )
        )


if sys.version_info >= (3, 12):  # pragma: no cover - 3.11 has no way to tell it
    # Mocks that are made from the class ask whether a method is a coroutine function.
    inspect.markcoroutinefunction(SaynaClient.connect)


def _check_configs(
    stt: object, tts: object, livekit: object, without_audio: bool, loading: object
) -> None:
    if not without_audio and (stt is None or tts is None):
        raise SaynaValidationError(
            "stt_config and tts_config are required unless without_audio=True"
        )
    checks.instance("stt_config", stt, types.STTConfig)
    checks.instance("tts_config", tts, types.TTSConfig)
    checks.instance("livekit_config", livekit, types.LiveKitConfig)
    checks.instance("loading_audio", loading, types.LoadingAudioConfig)
    if isinstance(loading, types.LoadingAudioConfig) and not loading.data:
        raise SaynaValidationError("loading_audio.data must be a non-empty base64 string")

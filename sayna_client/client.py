"""SaynaClient: a thin front over the connection, the REST client and the dispatcher."""

from __future__ import annotations

import os
import ssl as _ssl
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sayna_client import codec, urls
from sayna_client.checks import audio_bytes, build, instance
from sayna_client.credentials import resolve_config_auth
from sayna_client.dispatcher import Dispatcher
from sayna_client.doors import Doors
from sayna_client.errors import SaynaNotConnectedError, SaynaValidationError
from sayna_client.flight import Flight
from sayna_client.http_client import SaynaHttpClient
from sayna_client.limits import Limits
from sayna_client.log import logger
from sayna_client.network import Network
from sayna_client.session import Session, State
from sayna_client.types import (
    ClearMessage,
    ConfigMessage,
    HealthResponse,
    LiveKitConfig,
    LoadingAudioConfig,
    SpeakMessage,
    STTConfig,
    TTSConfig,
)

if TYPE_CHECKING:
    import aiohttp


class SaynaClient(Doors):
    """A client of one Sayna server: REST calls at any time, a session while connected."""

    def __init__(
        self,
        url: str,
        stt_config: STTConfig | None = None,
        tts_config: TTSConfig | None = None,
        livekit_config: LiveKitConfig | None = None,
        without_audio: bool = False,
        api_key: str | None = None,
        stream_id: str | None = None,
        loading_audio: LoadingAudioConfig | None = None,
        *,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ssl: _ssl.SSLContext | bool = True,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        targets = urls.targets(url)
        _check_configs(stt_config, tts_config, livekit_config, without_audio, loading_audio)
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
        self._network = Network(
            targets=targets,
            api_key=self.api_key,
            headers=headers or {},
            proxy=proxy,
            ssl=ssl,
            session=session,
        )
        self._http = SaynaHttpClient(self.base_url, self.api_key, network=self._network)
        self._session: Session | None = None
        self._flight: Flight | None = None
        super().__init__(Dispatcher(self.limits))

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._session.state if self._session is not None else "disconnected"

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._session is not None and self._session.connected

    @property
    def ready(self) -> bool:
        """Whether the server is ready for commands."""
        return self.state == "ready"

    async def connect(self, *, wait_ready: bool = True) -> None:
        """Open the connection, send the configuration and wait for `ready`."""
        if self._flight is None or self._flight.done:
            if self.connected:
                logger.warning("Already connected")
                return
            self._session = Session(
                self._network, self._config_frame, self.limits, self._dispatcher
            )
            self._flight = Flight(self._session.start(wait_ready=wait_ready))
        await self._flight.join()

    async def disconnect(self) -> None:
        """End the session and everything this client opened."""
        if self._session is not None:
            await self._session.stop(self.limits.close)
        await self._dispatcher.settle(self.limits.close)
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()

    async def speak(self, text: str, flush: bool = True, allow_interruption: bool = True) -> None:
        """Have text spoken."""
        await self._send(
            SpeakMessage, text=text, flush=flush, allow_interruption=allow_interruption
        )

    async def clear(self) -> None:
        """Drop what is queued and being spoken."""
        await self._send(ClearMessage)

    async def on_audio_input(self, audio_data: bytes) -> None:
        """Send audio to be transcribed."""
        await self._checked().send(audio_bytes(audio_data))

    async def health(self) -> HealthResponse:
        """Ask whether the server is up."""
        return build(HealthResponse, **await self._http.get("/"))

    def _checked(self) -> Session:
        if self._session is None:
            raise SaynaNotConnectedError
        self._session.check_ready()
        return self._session

    async def _send(self, model: Any, **fields: Any) -> None:
        await self._checked().send(build(model, **fields))

    def _config_frame(self) -> str:
        return codec.encode(
            ConfigMessage(
                stream_id=self.stream_id,
                audio=self.audio_enabled,
                stt_config=resolve_config_auth(self.stt_config),
                tts_config=resolve_config_auth(self.tts_config),
                livekit=self.livekit_config,
                loading_audio=self.loading_audio,
            )
        )


def _check_configs(
    stt: object, tts: object, livekit: object, without_audio: bool, loading: object
) -> None:
    if not without_audio and (stt is None or tts is None):
        raise SaynaValidationError(
            "stt_config and tts_config are required unless without_audio=True"
        )
    instance("stt_config", stt, STTConfig)
    instance("tts_config", tts, TTSConfig)
    instance("livekit_config", livekit, LiveKitConfig)
    instance("loading_audio", loading, LoadingAudioConfig)
    if isinstance(loading, LoadingAudioConfig) and not loading.data:
        raise SaynaValidationError("loading_audio.data must be a non-empty base64 string")

"""Configuration of a session: the parts of the `config` frame (websocket.md 4.2)."""

from typing import Any, Literal

from pydantic import Field

from sayna_client.types._base import Settings, Strict


class Pronunciation(Settings):
    """A word and how it is to be spoken."""

    word: str
    pronunciation: str


class ApiKeyAuth(Strict):
    """Credentials for Deepgram, ElevenLabs and Cartesia (websocket.md 4.2.3)."""

    api_key: str = Field(repr=False)


class GoogleAuth(Strict):
    """Google credentials: a dict, its JSON text, or the path of a file that holds it."""

    credentials: str | dict[str, Any] = Field(repr=False)


class AzureAuth(Strict):
    """Credentials for Azure."""

    api_key: str = Field(repr=False)
    region: str


ProviderAuth = AzureAuth | GoogleAuth | ApiKeyAuth


class STTConfig(Settings):
    """Speech recognition (websocket.md 4.2.1)."""

    provider: str
    language: str = "en-US"
    sample_rate: int = 16000
    channels: int = 1
    punctuation: bool = True
    encoding: str = "linear16"
    model: str
    auth: ProviderAuth | None = None


class TTSConfig(Settings):
    """Speech synthesis (websocket.md 4.2.2); what is None is left to the server."""

    provider: str
    voice_id: str | None = None
    speaking_rate: float = 1.0
    audio_format: str | None = None
    sample_rate: int | None = None
    connection_timeout: int | None = None
    request_timeout: int | None = None
    model: str = ""
    pronunciations: list[Pronunciation] = Field(default_factory=list[Pronunciation])
    auth: ProviderAuth | None = None


class LiveKitConfig(Settings):
    """The LiveKit room of a session (websocket.md 4.2.4)."""

    room_name: str
    enable_recording: bool | None = False
    sayna_participant_identity: str | None = "sayna-ai"
    sayna_participant_name: str | None = "Sayna AI"
    listen_participants: list[str] | None = Field(default_factory=list[str])


class LoadingAudioConfig(Strict):
    """A sound looped into the room while the agent thinks; `data` is base64 (websocket.md 10)."""

    data: str = Field(repr=False)
    format: Literal["wav", "pcm"] | None = None
    sample_rate: int | None = None
    channels: int | None = None
    volume: float | None = None

"""Frames to the server (websocket.md 4)."""

from typing import Any, Literal

from pydantic import Field

from sayna_client.types._base import Model
from sayna_client.types.config import LiveKitConfig, LoadingAudioConfig, STTConfig, TTSConfig


class ConfigMessage(Model):
    """The first frame of a session."""

    type: Literal["config"] = "config"
    stream_id: str | None = None
    audio: bool | None = True
    stt_config: STTConfig | None = None
    tts_config: TTSConfig | None = None
    livekit: LiveKitConfig | None = None
    loading_audio: LoadingAudioConfig | None = None


class SpeakMessage(Model):
    """Text to be spoken."""

    type: Literal["speak"] = "speak"
    text: str
    flush: bool | None = None
    allow_interruption: bool | None = None


class ClearMessage(Model):
    """Drop what is queued and being spoken."""

    type: Literal["clear"] = "clear"


class SendMessageMessage(Model):
    """A data message to the room."""

    type: Literal["send_message"] = "send_message"
    message: str
    role: str
    topic: str | None = None
    debug: Any = None


class SipTransferMessage(Model):
    """Transfer the caller to another number."""

    type: Literal["sip_transfer"] = "sip_transfer"
    transfer_to: str


class LoadingStartMessage(Model):
    """Start the loading sound."""

    type: Literal["loading_start"] = "loading_start"


class LoadingStopMessage(Model):
    """Stop the loading sound."""

    type: Literal["loading_stop"] = "loading_stop"


class VadSettings(Model):
    """Voice activity detection."""

    silence_duration_ms: int | None = Field(default=None, ge=0)


class TurnDetectSettings(Model):
    """Turn detection; the server takes thresholds from 0 to 1."""

    threshold: float | None = Field(default=None, ge=0.0, le=1.0)


class UpdateConfigMessage(Model):
    """Tune voice activity and turn detection of a running session (websocket.md 4.8)."""

    type: Literal["update_config"] = "update_config"
    vad: VadSettings | None = None
    turn_detect: TurnDetectSettings | None = None


Command = (
    ConfigMessage
    | SpeakMessage
    | ClearMessage
    | SendMessageMessage
    | SipTransferMessage
    | LoadingStartMessage
    | LoadingStopMessage
    | UpdateConfigMessage
)

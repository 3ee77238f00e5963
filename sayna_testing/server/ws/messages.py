"""The frames of both directions as values (websocket.md 4 and 5)."""

import json
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from sayna_testing.server.rust_text import f32_text
from sayna_testing.server.serde import (
    F32,
    U16,
    U32,
    U64,
    Bool,
    Field,
    Json,
    List,
    String,
    Struct,
    read_tagged,
)
from sayna_testing.server.tts_config import PROVIDER_AUTH, TTS_CONFIG

Fields = dict[str, Any]

STT_CONFIG = Struct(
    "STTWebSocketConfig",
    (
        Field("provider", String, required=True),
        Field("language", String, required=True),
        Field("sample_rate", U32, required=True),
        Field("channels", U16, required=True),
        Field("punctuation", Bool, required=True),
        Field("encoding", String, required=True),
        Field("model", String, required=True),
        Field("auth", PROVIDER_AUTH),
    ),
)
LIVEKIT_CONFIG = Struct(
    "LiveKitWebSocketConfig",
    (
        Field("room_name", String, required=True),
        Field("enable_recording", Bool, nullable=False, default=False),
        Field("sayna_participant_identity", String, default="sayna-ai"),
        Field("sayna_participant_name", String, default="Sayna AI"),
        Field("listen_participants", List(String), nullable=False, default=()),
    ),
)
LOADING_AUDIO = Struct(
    "LoadingAudioConfig",
    (
        Field("data", String, required=True),
        Field("format", String),
        Field("sample_rate", U32),
        Field("channels", U16),
        Field("volume", F32),
    ),
)
VARIANTS = {
    "config": Struct(
        "Config",
        (
            Field("stream_id", String),
            Field("audio", Bool, default=True),
            Field("stt_config", STT_CONFIG),
            Field("tts_config", TTS_CONFIG),
            Field("livekit", LIVEKIT_CONFIG),
            Field("loading_audio", LOADING_AUDIO),
        ),
    ),
    "speak": Struct(
        "Speak",
        (
            Field("text", String, required=True),
            Field("flush", Bool, default=True),
            Field("allow_interruption", Bool, default=True),
        ),
    ),
    "clear": Struct("Clear", ()),
    "send_message": Struct(
        "SendMessage",
        (
            Field("message", String, required=True),
            Field("role", String, required=True),
            Field("topic", String, default="messages"),
            Field("debug", Json),
        ),
    ),
    "sip_transfer": Struct("SIPTransfer", (Field("transfer_to", String, required=True),)),
    "update_config": Struct(
        "UpdateConfig",
        (
            Field("vad", Struct("VADConfigUpdate", (Field("silence_duration_ms", U64),))),
            Field("turn_detect", Struct("TurnDetectConfigUpdate", (Field("threshold", F32),))),
        ),
    ),
    "loading_start": Struct("LoadingStart", ()),
    "loading_stop": Struct("LoadingStop", ()),
}


def read(text: str) -> tuple[str, Fields]:
    """Read a text frame: its type and its fields with defaults; raises SerdeError (4.1)."""
    return read_tagged(text, "IncomingMessage", VARIANTS)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame to the client: `data` in the order of its keys, and the text that goes out."""

    data: Fields
    text: str

    @property
    def kind(self) -> str:
        """The frame's type."""
        kind: str = self.data["type"]
        return kind


def frame(data: Fields) -> Frame:
    """Write a frame: compact, keys as given, non-ASCII as it is (2)."""
    return Frame(data, json.dumps(data, separators=(",", ":"), ensure_ascii=False))


def error(message: str) -> Frame:
    """An `error`."""
    return frame({"type": "error", "message": message})


def sip_transfer_error(message: str) -> Frame:
    """A `sip_transfer_error`."""
    return frame({"type": "sip_transfer_error", "message": message})


def ready(stream_id: str, livekit_url: str, livekit: Fields | None) -> Frame:
    """A `ready`; `livekit` is the block of the config (5.1)."""
    room = {} if livekit is None else {"livekit_room_name": livekit["room_name"]}
    names = ("sayna_participant_identity", "sayna_participant_name") if livekit else ()
    sayna = {name: livekit[name] for name in names} if livekit else {}
    return frame(
        {"type": "ready", "stream_id": stream_id, **room, "livekit_url": livekit_url, **sayna}
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What a recogniser said."""

    transcript: str
    is_final: bool
    is_speech_final: bool
    confidence: float


FORCED = Result("", is_final=True, is_speech_final=True, confidence=1.0)
"""The end of speech that Sayna declares by itself (8.3)."""


def stt_result(result: Result) -> Frame:
    """A `stt_result`; the confidence is clamped and printed as 32 bits (5.2)."""
    confidence = f32_text(min(max(result.confidence, 0.0), 1.0))
    data = {
        "type": "stt_result",
        "transcript": result.transcript,
        "is_final": result.is_final,
        "is_speech_final": result.is_speech_final,
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Frame(
        {**data, "confidence": float(confidence)}, f'{text[:-1]},"confidence":{confidence}}}'
    )


def tts_playback_complete() -> Frame:
    """A `tts_playback_complete` of now (6.3)."""
    return frame({"type": "tts_playback_complete", "timestamp": now_ms()})


def room_message(payload: bytes, identity: str | None, topic: str | None) -> Frame:
    """A `message`: text if the payload is UTF-8, else base64 (5.3)."""
    try:
        body = {"message": payload.decode()}
    except UnicodeDecodeError:
        body = {"data": b64encode(payload).decode()}
    message = {
        **body,
        "identity": "server" if identity is None else identity,
        "topic": "default" if topic is None else topic,
        "room": "livekit",
        "timestamp": now_ms(),
    }
    return frame({"type": "message", "message": message})


def participant(event: str, identity: str, name: str, room: str) -> Frame:
    """A `participant_connected` or `participant_disconnected` (5.4)."""
    person = {"identity": identity, "name": name, "room": room, "timestamp": now_ms()}
    return frame({"type": f"participant_{event}", "participant": person})


def track_subscribed(identity: str, name: str, kind: str, sid: str, room: str) -> Frame:
    """A `track_subscribed` (5.5)."""
    track = {
        "identity": identity,
        "name": name,
        "track_kind": kind,
        "track_sid": sid,
        "room": room,
        "timestamp": now_ms(),
    }
    return frame({"type": "track_subscribed", "track": track})


def now_ms() -> int:
    """The wall clock in milliseconds, looked up at each call so that it can be frozen."""
    return int(time.time() * 1000)

"""What a connection answers at once, by its state (websocket.md 3, 4.8, 10.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sayna_testing.server.phone import tel_uri
from sayna_testing.server.rust_text import f32, f32_text
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.messages import Frame
from sayna_testing.server.ws.refusals import check_present

AUDIO_OFF = "Audio processing is disabled. Send config message with audio=true first."
NO_VOICE = "Voice manager not configured. Send config message with audio=true first."
NO_LIVEKIT = "LiveKit client not configured. Send config message with livekit configuration first."
NO_ROOM_NAME = "Room name not available. Ensure LiveKit is configured."
LOADING_BEFORE_CONFIG = "Send a config message first before using loading_start."
LOADING_WITHOUT_AUDIO = (
    "Loading indicator requires audio to be enabled. Send a config message with audio=true."
)
LOADING_WITHOUT_ROOM = (
    "Loading indicator requires a LiveKit room."
    " Include a livekit configuration in your config message."
)
NO_CLIP = "no loading audio configured"
PROTECTED = "protected speech is playing"


class Standing(NamedTuple):
    """The state that decides: `clip_fault` is the stored text of 10.1."""

    audio: bool = False
    configured: bool = False
    voice: bool = False
    interruptible: bool = True
    room: bool = False
    sip: bool = True
    clip: bool = False
    clip_fault: str | None = None
    vad: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` instead of acting, or swallow it for a reason; neither means act."""

    answer: Frame | None = None
    dropped: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the message is carried out."""
        return self.answer is None and self.dropped is None


ACT = Verdict()


def judge(kind: str, fields: Mapping[str, Any], standing: Standing) -> Verdict:
    """Decide what becomes of a message; `audio` is a binary frame."""
    return _RULES[kind](fields, standing)


def _act(_fields: Mapping[str, Any], _standing: Standing) -> Verdict:
    return ACT


def _config(fields: Mapping[str, Any], _standing: Standing) -> Verdict:
    missing = check_present(fields)
    return ACT if missing is None else _error(missing)


def _voice(_fields: Mapping[str, Any], standing: Standing) -> Verdict:
    if not standing.audio:
        return _error(AUDIO_OFF)
    return ACT if standing.voice else _error(NO_VOICE)


def _clear(_fields: Mapping[str, Any], standing: Standing) -> Verdict:
    if not standing.audio:
        return Verdict(dropped="audio is off")
    if not standing.voice:
        return _error(NO_VOICE)
    return ACT if standing.interruptible else Verdict(dropped=PROTECTED)


def _send_message(_fields: Mapping[str, Any], standing: Standing) -> Verdict:
    return ACT if standing.room else _error(NO_LIVEKIT)


def _sip_transfer(fields: Mapping[str, Any], standing: Standing) -> Verdict:
    """T1 to T3."""
    try:
        tel_uri(fields["transfer_to"])
    except ValueError as error:
        return Verdict(messages.sip_transfer_error(f"Invalid phone number: {error}"))
    if not standing.room:
        return Verdict(messages.sip_transfer_error(NO_ROOM_NAME))
    return ACT if standing.sip else Verdict(messages.sip_transfer_error(NO_LIVEKIT))


def _update_config(fields: Mapping[str, Any], standing: Standing) -> Verdict:
    """Only a build with `stt-vad` looks at it (4.8)."""
    turn_detect: Mapping[str, Any] = fields["turn_detect"] or {}
    threshold: float | None = turn_detect.get("threshold")
    if not standing.vad or threshold is None or 0 <= f32(threshold) <= 1:
        return ACT
    return _error(
        f"Invalid turn detection threshold: {_displayed(threshold)}. Must be between 0.0 and 1.0"
    )


def _displayed(value: float) -> str:
    """Write a float as Rust's Display does: neither exponent nor a fraction of 0."""
    if f32(value) in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return f"{Decimal(f32_text(value).removesuffix('.0')):f}"


def _loading_start(_fields: Mapping[str, Any], standing: Standing) -> Verdict:
    checks = (
        (standing.configured, LOADING_BEFORE_CONFIG),
        (standing.audio, LOADING_WITHOUT_AUDIO),
        (standing.clip_fault is None, standing.clip_fault or ""),
        (standing.room, LOADING_WITHOUT_ROOM),
        (standing.clip, NO_CLIP),
    )
    return next((_error(text) for holds, text in checks if not holds), ACT)


def _error(text: str) -> Verdict:
    return Verdict(messages.error(text))


_RULES: Mapping[str, Callable[[Mapping[str, Any], Standing], Verdict]] = {
    "config": _config,
    "audio": _voice,
    "speak": _voice,
    "clear": _clear,
    "send_message": _send_message,
    "sip_transfer": _sip_transfer,
    "update_config": _update_config,
    "loading_start": _loading_start,
    "loading_stop": _act,
}

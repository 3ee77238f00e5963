"""Frames from the server (websocket.md 5). Timestamps are milliseconds since the Unix epoch."""

from typing import Annotated, Any, Literal

from pydantic import Field

from sayna_client.types._base import Received

TrackKind = Literal["audio", "video"] | str


class ReadyMessage(Received):
    """The session is configured; what it has is filled in (websocket.md 5.1)."""

    type: Literal["ready"] = "ready"
    stream_id: str | None = None
    livekit_room_name: str | None = None
    livekit_url: str | None = None
    sayna_participant_identity: str | None = None
    sayna_participant_name: str | None = None


class STTResultMessage(Received):
    """One transcript; `confidence` is 0 to 1. Finals hold only their own piece (websocket.md 8)."""

    type: Literal["stt_result"] = "stt_result"
    transcript: str
    is_final: bool
    is_speech_final: bool
    confidence: float


class ErrorMessage(Received):
    """The server reports an error; the session goes on."""

    type: Literal["error"] = "error"
    message: str


class SipTransferErrorMessage(Received):
    """A SIP transfer was not made (websocket.md 4.7)."""

    type: Literal["sip_transfer_error"] = "sip_transfer_error"
    message: str


class SaynaMessage(Received):
    """What a participant sent: text in `message`, or base64 in `data` (websocket.md 5.3)."""

    message: str | None = None
    data: str | None = None
    identity: str
    topic: str
    room: str
    timestamp: int


class MessageMessage(Received):
    """A data message from the room."""

    type: Literal["message"] = "message"
    message: SaynaMessage


class Participant(Received):
    """Who joined or left."""

    identity: str
    name: str | None = None
    room: str
    timestamp: int


class ParticipantConnectedMessage(Received):
    """A participant joined after us."""

    type: Literal["participant_connected"] = "participant_connected"
    participant: Participant


class ParticipantDisconnectedMessage(Received):
    """A participant left; the server closes the socket 100 ms later (websocket.md 9.4)."""

    type: Literal["participant_disconnected"] = "participant_disconnected"
    participant: Participant


class Track(Received):
    """A track of a participant."""

    identity: str
    name: str | None = None
    track_kind: TrackKind
    track_sid: str
    room: str
    timestamp: int


class TrackSubscribedMessage(Received):
    """The server hears a participant's track."""

    type: Literal["track_subscribed"] = "track_subscribed"
    track: Track


class TTSPlaybackCompleteMessage(Received):
    """Everything queued was generated and handed over (websocket.md 6.3)."""

    type: Literal["tts_playback_complete"] = "tts_playback_complete"
    timestamp: int


class VadEventMessage(Received):
    """Voice activity; defined by the protocol, sent by no server version yet."""

    type: Literal["vad_event"] = "vad_event"
    event: str
    timestamp_ms: int
    silence_duration_ms: int | None = None


class UnknownMessage(Received):
    """A frame of a type this version does not know; `data` is the whole JSON object."""

    type: str
    data: dict[str, Any] = Field(repr=False)


OutgoingMessage = (
    ReadyMessage
    | STTResultMessage
    | ErrorMessage
    | SipTransferErrorMessage
    | MessageMessage
    | ParticipantConnectedMessage
    | ParticipantDisconnectedMessage
    | TrackSubscribedMessage
    | TTSPlaybackCompleteMessage
)
KnownMessage = Annotated[OutgoingMessage | VadEventMessage, Field(discriminator="type")]
ServerMessage = OutgoingMessage | VadEventMessage | UnknownMessage

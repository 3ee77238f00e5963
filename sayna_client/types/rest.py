"""Bodies of the REST API (rest.md)."""

from typing import Literal

from pydantic import Field, RootModel

from sayna_client.types._base import Model, Received, Settings
from sayna_client.types.config import TTSConfig

ParticipantState = Literal["JOINING", "JOINED", "ACTIVE", "DISCONNECTED", "UNKNOWN"] | str
ParticipantKind = Literal["STANDARD", "AGENT", "SIP", "EGRESS", "INGRESS", "UNKNOWN"] | str


class HealthResponse(Received):
    """Answer of `GET /` (rest.md 7)."""

    status: str


class VoiceDescriptor(Received):
    """One voice of a provider."""

    id: str
    sample: str = ""
    name: str
    accent: str = "Unknown"
    gender: str = "Unknown"
    language: str = "Unknown"


class VoicesResponse(RootModel[dict[str, list[VoiceDescriptor]]]):
    """Voices by provider (rest.md 7)."""


class SpeakRequest(Model):
    """Body of `POST /speak` (rest.md 8)."""

    text: str
    tts_config: TTSConfig


class LiveKitTokenRequest(Model):
    """Body of `POST /livekit/token` (rest.md 9)."""

    room_name: str
    participant_name: str
    participant_identity: str


class LiveKitTokenResponse(Received):
    """A token that lets a participant join."""

    token: str = Field(repr=False)
    room_name: str
    participant_identity: str
    livekit_url: str


class LiveKitRoomSummary(Received):
    """A room in a list; `creation_time` in seconds since the Unix epoch."""

    name: str
    num_participants: int
    creation_time: int


class LiveKitRoomsResponse(Received):
    """Answer of `GET /livekit/rooms` (rest.md 10)."""

    rooms: list[LiveKitRoomSummary]


class LiveKitParticipantInfo(Received):
    """A participant of a room; `joined_at` in seconds since the Unix epoch."""

    sid: str
    identity: str
    name: str
    state: ParticipantState
    kind: ParticipantKind
    joined_at: int
    metadata: str
    attributes: dict[str, str]
    is_publisher: bool


class LiveKitRoomDetails(Received):
    """Answer of `GET /livekit/rooms/{room_name}` (rest.md 10)."""

    sid: str
    name: str
    num_participants: int
    max_participants: int
    creation_time: int
    metadata: str
    active_recording: bool
    participants: list[LiveKitParticipantInfo]


class RemoveLiveKitParticipantRequest(Model):
    """Body of `DELETE /livekit/participant` (rest.md 11)."""

    room_name: str
    participant_identity: str


class RemoveLiveKitParticipantResponse(Received):
    """Who was removed."""

    status: str
    room_name: str
    participant_identity: str


class MuteLiveKitParticipantRequest(Model):
    """Body of `POST /livekit/participant/mute` (rest.md 11)."""

    room_name: str
    participant_identity: str
    track_sid: str
    muted: bool


class MuteLiveKitParticipantResponse(Received):
    """What LiveKit reports after a mute."""

    room_name: str
    participant_identity: str
    track_sid: str
    muted: bool


class SipHook(Received):
    """Where calls to a SIP host are posted."""

    host: str
    url: str
    auth_id: str


class SipHooksResponse(Received):
    """The whole list of hooks after a change (rest.md 13)."""

    hooks: list[SipHook] = Field(default_factory=list[SipHook])


class SetSipHooksRequest(Model):
    """Body of `POST /sip/hooks` (rest.md 13)."""

    hooks: list[SipHook]


class DeleteSipHooksRequest(Model):
    """Body of `DELETE /sip/hooks` (rest.md 13)."""

    hosts: list[str] = Field(min_length=1)


class SipTransferRequest(Model):
    """Body of `POST /sip/transfer` (rest.md 14)."""

    room_name: str
    participant_identity: str
    transfer_to: str


class SipTransferResponse(Received):
    """A transfer under way."""

    status: Literal["initiated", "completed"] | str
    room_name: str
    participant_identity: str
    transfer_to: str


class SipCallSipConfig(Settings):
    """The SIP trunk of an outbound call."""

    outbound_address: str | None = None
    auth_username: str | None = None
    auth_password: str | None = Field(default=None, repr=False)


class SipCallRequest(Model):
    """Body of `POST /sip/call` (rest.md 14)."""

    room_name: str
    participant_name: str
    participant_identity: str
    from_phone_number: str
    to_phone_number: str
    sip: SipCallSipConfig | None = None


class SipCallResponse(Received):
    """An outbound call under way."""

    status: Literal["initiated"] | str
    room_name: str
    participant_identity: str
    participant_id: str
    sip_call_id: str

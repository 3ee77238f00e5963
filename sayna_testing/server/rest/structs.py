"""The request bodies as declared types, fields in declaration order (rest.md 8 to 14)."""

from sayna_testing.server.serde import Bool, Field, List, String, Struct
from sayna_testing.server.tts_config import TTS_CONFIG


def _strings(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, String, required=True) for name in names)


SPEAK = Struct(
    "SpeakRequest",
    (*_strings("text"), Field("tts_config", TTS_CONFIG, required=True)),
)
TOKEN = Struct("TokenRequest", _strings("room_name", "participant_name", "participant_identity"))
REMOVE_PARTICIPANT = Struct(
    "RemoveParticipantRequest", _strings("room_name", "participant_identity")
)
MUTE_PARTICIPANT = Struct(
    "MuteParticipantRequest",
    (
        *_strings("room_name", "participant_identity", "track_sid"),
        Field("muted", Bool, required=True),
    ),
)
SIP_HOOK = Struct("SipHookEntry", _strings("host", "url", "auth_id"))
SIP_HOOKS = Struct("SipHooksRequest", (Field("hooks", List(SIP_HOOK), nullable=False, default=()),))
DELETE_SIP_HOOKS = Struct(
    "DeleteSipHooksRequest", (Field("hosts", List(String), nullable=False, default=()),)
)
SIP_CALL = Struct(
    "SIPCallRequest",
    (
        *_strings(
            "room_name",
            "participant_name",
            "participant_identity",
            "from_phone_number",
            "to_phone_number",
        ),
        Field(
            "sip",
            Struct(
                "SIPCallSipConfig",
                (
                    Field("outbound_address", String),
                    Field("auth_username", String),
                    Field("auth_password", String),
                ),
            ),
        ),
    ),
)
SIP_TRANSFER = Struct(
    "SIPTransferRequest", _strings("room_name", "participant_identity", "transfer_to")
)

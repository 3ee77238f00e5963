"""The `tts_config` object of `/speak` and of a session (rest.md 8.1, websocket.md 4.2.2)."""

from sayna_testing.server.serde import (
    F32,
    U32,
    U64,
    Field,
    JsonObject,
    List,
    String,
    Struct,
)

PRONUNCIATION = Struct(
    "Pronunciation",
    (Field("word", String, required=True), Field("pronunciation", String, required=True)),
)
PROVIDER_AUTH = JsonObject("struct ProviderAuthInput")
TTS_CONFIG = Struct(
    "TTSWebSocketConfig",
    (
        Field("provider", String, required=True),
        Field("voice_id", String, default="aura-asteria-en"),
        Field("speaking_rate", F32, default=1.0),
        Field("audio_format", String, default="linear16"),
        Field("sample_rate", U32, default=24000),
        Field("connection_timeout", U64, default=30),
        Field("request_timeout", U64, default=60),
        Field("model", String, required=True),
        Field("pronunciations", List(PRONUNCIATION), nullable=False, default=()),
        Field("auth", PROVIDER_AUTH),
    ),
)

"""The surface of 0.0.18 that has to stay (sdk-surface.md 1 to 3, 7 to 9), and what 0.1.0 adds."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel

import sayna_client
from sayna_client import Limits, ReconnectPolicy, SaynaClient, SaynaValidationError, types
from tests.client.session import STT, TTS

OLD = [
    "SaynaClient",
    "WebhookReceiver",
    "resolve_config_auth",
    "resolve_google_credentials",
    "SaynaError",
    "SaynaNotConnectedError",
    "SaynaNotReadyError",
    "SaynaConnectionError",
    "SaynaValidationError",
    "SaynaServerError",
    "SaynaHttpError",
    "STTConfig",
    "TTSConfig",
    "Pronunciation",
    "LiveKitConfig",
    "LoadingAudioConfig",
    "ApiKeyAuth",
    "GoogleAuth",
    "AzureAuth",
    "ProviderAuth",
    "ConfigMessage",
    "SpeakMessage",
    "ClearMessage",
    "SendMessageMessage",
    "SipTransferMessage",
    "LoadingStartMessage",
    "LoadingStopMessage",
    "ReadyMessage",
    "STTResultMessage",
    "ErrorMessage",
    "SipTransferErrorMessage",
    "MessageMessage",
    "ParticipantConnectedMessage",
    "ParticipantDisconnectedMessage",
    "TrackSubscribedMessage",
    "TTSPlaybackCompleteMessage",
    "OutgoingMessage",
    "SaynaMessage",
    "Participant",
    "Track",
    "HealthResponse",
    "VoiceDescriptor",
    "SpeakRequest",
    "LiveKitTokenRequest",
    "LiveKitTokenResponse",
    "LiveKitRoomSummary",
    "LiveKitRoomsResponse",
    "LiveKitParticipantInfo",
    "LiveKitRoomDetails",
    "RemoveLiveKitParticipantRequest",
    "RemoveLiveKitParticipantResponse",
    "MuteLiveKitParticipantRequest",
    "MuteLiveKitParticipantResponse",
    "SipHook",
    "SipHooksResponse",
    "SetSipHooksRequest",
    "DeleteSipHooksRequest",
    "SipTransferRequest",
    "SipTransferResponse",
    "SipCallSipConfig",
    "SipCallRequest",
    "SipCallResponse",
    "WebhookSIPOutput",
    "WebhookSIPParticipant",
    "WebhookSIPRoom",
]
NEW = [
    "Command",
    "ConnectionClosed",
    "Counters",
    "HandlerError",
    "Limits",
    "RawResponse",
    "ReconnectPolicy",
    "Reconnecting",
    "SaynaRefusedError",
    "SaynaSpeechError",
    "SaynaTimeoutError",
    "SaynaWebhookError",
    "SaynaWebhookPayloadError",
    "SaynaWebhookReplayError",
    "SaynaWebhookSignatureError",
    "SaynaWebhookTimestampError",
    "SeenEvents",
    "ServerMessage",
    "Stream",
    "StreamedBody",
    "TurnDetectSettings",
    "UnknownMessage",
    "UpdateConfigMessage",
    "VadEventMessage",
    "VadSettings",
]


def run(code: str) -> str:
    """Run code in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50
    )
    return done.stdout.strip()


def test_the_exported_names_are_these_and_sorted() -> None:
    assert len(OLD) == 65
    assert sayna_client.__all__ == sorted(OLD + NEW)
    assert set(dir(sayna_client)) >= set(sayna_client.__all__)
    for name in sayna_client.__all__:
        assert getattr(sayna_client, name) is not None


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        sayna_client.Nonsense  # noqa: B018


def test_the_bare_import_loads_neither_aiohttp_nor_pydantic() -> None:
    loaded = run(
        "import sys, sayna_client;"
        "print([m for m in ('aiohttp', 'pydantic', 'asyncio', 'logging') if m in sys.modules])"
    )
    assert loaded == "[]"


def test_the_client_is_there_before_any_model_is_made() -> None:
    loaded = run(
        "import sys; from sayna_client import SaynaClient;"
        "print([name for name in sys.modules if name.startswith('sayna_client.types.')])"
    )
    assert loaded == "[]"


def test_hints_of_methods_name_the_models() -> None:
    hints = get_type_hints(SaynaClient.get_voices)
    assert hints["return"] == dict[str, list[sayna_client.VoiceDescriptor]]
    assert get_type_hints(SaynaClient.wait_for, include_extras=True)["timeout"] == float | None
    assert get_type_hints(SaynaClient.register_on_ready)["callback"] == (
        Callable[[sayna_client.ReadyMessage], object] | None
    )


def test_submodules_keep_their_names() -> None:
    from sayna_client.client import SaynaClient as FromModule
    from sayna_client.credentials import resolve_provider_auth
    from sayna_client.errors import SaynaError
    from sayna_client.http_client import SaynaHttpClient
    from sayna_client.webhook_receiver import MIN_SECRET_LENGTH, TIMESTAMP_TOLERANCE_SECONDS

    assert FromModule is SaynaClient
    assert SaynaError is sayna_client.SaynaError
    assert (MIN_SECRET_LENGTH, TIMESTAMP_TOLERANCE_SECONDS) == (16, 300)
    assert callable(resolve_provider_auth)
    assert callable(SaynaHttpClient)
    assert {"VoicesResponse", "TrackKind"} <= set(types.__all__)


def positional(function: Any) -> list[tuple[str, Any]]:
    """Return the names and defaults of what can be given by position."""
    return [
        (p.name, p.default)
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"
    ]


NONE = inspect.Parameter.empty
SIGNATURES: dict[str, list[tuple[str, Any]]] = {
    "__init__": [
        ("url", NONE),
        ("stt_config", None),
        ("tts_config", None),
        ("livekit_config", None),
        ("without_audio", False),
        ("api_key", None),
        ("stream_id", None),
        ("loading_audio", None),
    ],
    "connect": [],
    "disconnect": [],
    "health": [],
    "health_check": [],
    "get_voices": [],
    "speak_rest": [("text", NONE), ("tts_config", NONE)],
    "get_livekit_token": [
        ("room_name", NONE),
        ("participant_name", NONE),
        ("participant_identity", NONE),
    ],
    "get_livekit_rooms": [],
    "get_livekit_room": [("room_name", NONE)],
    "remove_livekit_participant": [("room_name", NONE), ("participant_identity", NONE)],
    "mute_livekit_participant_track": [
        ("room_name", NONE),
        ("participant_identity", NONE),
        ("track_sid", NONE),
        ("muted", NONE),
    ],
    "get_sip_hooks": [],
    "set_sip_hooks": [("hooks", NONE)],
    "delete_sip_hooks": [("hosts", NONE)],
    "sip_transfer_rest": [
        ("room_name", NONE),
        ("participant_identity", NONE),
        ("transfer_to", NONE),
    ],
    "sip_call": [
        ("room_name", NONE),
        ("participant_name", NONE),
        ("participant_identity", NONE),
        ("from_phone_number", NONE),
        ("to_phone_number", NONE),
        ("sip_config", None),
    ],
    "get_recording": [("stream_id", NONE)],
    "speak": [("text", NONE), ("flush", True), ("allow_interruption", True)],
    "send_speak": [("text", NONE), ("flush", True), ("allow_interruption", True)],
    "tts_flush": [("allow_interruption", True)],
    "clear": [],
    "send_clear": [],
    "on_audio_input": [("audio_data", NONE)],
    "send_audio": [("audio_data", NONE)],
    "send_message": [("message", NONE), ("role", NONE), ("topic", "messages"), ("debug", None)],
    "sip_transfer": [("transfer_to", NONE)],
    "loading_start": [],
    "loading_stop": [],
    **{
        f"register_on_{event}": [("callback", NONE)]
        for event in (
            "ready",
            "stt_result",
            "message",
            "error",
            "sip_transfer_error",
            "participant_connected",
            "participant_disconnected",
            "track_subscribed",
            "tts_playback_complete",
            "tts_audio",
            "audio",
        )
    },
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_each_signature_stays(name: str) -> None:
    assert positional(getattr(SaynaClient, name)) == SIGNATURES[name]


@pytest.mark.parametrize(
    ("url", "websocket", "rest"),
    [
        ("http://host", "ws://host/ws", "http://host/x"),
        ("http://host/", "ws://host/ws", "http://host/x"),
        ("ws://host/ws", "ws://host/ws", "http://host/x"),
        ("http://host/base", "ws://host/base/ws", "http://host/base/x"),
        ("http://host/base/", "ws://host/base/ws", "http://host/base/x"),
        ("ws://host/base/ws", "ws://host/base/ws", "http://host/base/x"),
        ("http://host/ws", "ws://host/ws", "http://host/x"),
        ("http://host/ws/", "ws://host/ws", "http://host/x"),
        ("ws://host", "ws://host/ws", "http://host/x"),
        ("ws://host/", "ws://host/ws", "http://host/x"),
        ("ws://host/ws/", "ws://host/ws", "http://host/x"),
        ("http://host?k=v", "ws://host/ws?k=v", "http://host/x?k=v"),
        ("https://host:8443", "wss://host:8443/ws", "https://host:8443/x"),
        ("WSS://Host/ws?u=ws://a", "wss://Host/ws?u=ws://a", "https://Host/x?u=ws://a"),
    ],
)
def test_every_form_of_url_gives_the_two_targets(url: str, websocket: str, rest: str) -> None:
    from sayna_client.urls import targets

    found = targets(url)
    assert str(found.websocket_url()) == websocket
    assert str(found.endpoint("/x")) == str(found.endpoint("x")) == rest


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://host", "http://host"),
        ("http://host/", "http://host/"),
        ("ws://host/ws", "http://host"),
        ("wss://host/base/ws", "https://host/base"),
        ("ws://host/ws?k=v", "http://host?k=v"),
        ("http://host/ws", "http://host"),
    ],
)
def test_base_url_shows_where_rest_goes(url: str, base: str) -> None:
    assert SaynaClient(url, without_audio=True).base_url == base


BAD_CLIENTS: list[tuple[Any, str]] = [
    (lambda: SaynaClient(""), "URL must be a non-empty string"),
    (lambda: SaynaClient(None), "URL must be a non-empty string"),  # type: ignore[arg-type]
    (lambda: SaynaClient("ftp://x"), "URL must start with"),
    (lambda: SaynaClient("http://"), "URL must start with"),
    (lambda: SaynaClient("http://[x"), "URL must start with"),
    (lambda: SaynaClient("http://host:port"), "URL must start with"),
    (lambda: SaynaClient("http://x"), "stt_config and tts_config are required"),
    (lambda: SaynaClient("http://x", STT), "stt_config and tts_config are required"),
    (
        lambda: SaynaClient("http://x", {"provider": "d"}, TTS),  # type: ignore[arg-type]
        "stt_config must be an STTConfig instance, got dict",
    ),
    (
        lambda: SaynaClient("http://x", STT, TTS, loading_audio={"data": "x"}),  # type: ignore[arg-type]
        "loading_audio must be a LoadingAudioConfig instance",
    ),
    (
        lambda: SaynaClient("http://x", STT, TTS, loading_audio=types.LoadingAudioConfig(data="")),
        "loading_audio.data",
    ),
    (lambda: SaynaClient("http://x", STT, TTS, stream_id=5), "stream_id must be a str"),  # type: ignore[arg-type]
    (lambda: Limits(open=0), "Limits.open must be a number above 0, got 0"),
    (lambda: Limits(close=True), "Limits.close must be a number above 0"),
    (lambda: ReconnectPolicy(attempts=-1), "attempts must be an int, 0 or more, got -1"),
    (lambda: ReconnectPolicy(within=0), "within must be a number above 0"),
]


@pytest.mark.parametrize(("make", "text"), BAD_CLIENTS, ids=[str(n) for n in range(16)])
def test_a_client_that_cannot_work_is_refused_at_once(make: Any, text: str) -> None:
    with pytest.raises(SaynaValidationError) as caught:
        make()
    assert str(caught.value).startswith(text)


def test_attributes_say_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYNA_API_KEY", "FROM_ENV")
    client = SaynaClient("http://x", STT, TTS, None, False, None, "s")
    assert (client.url, client.api_key, client.stream_id) == ("http://x", "FROM_ENV", "s")
    assert (client.stt_config, client.tts_config) == (STT, TTS)
    assert (client.livekit_config, client.loading_audio) == (None, None)
    assert (client.without_audio, client.audio_enabled) == (False, True)
    assert (client.connected, client.ready, client.state) == (False, False, "disconnected")
    assert client.livekit_room_name is client.livekit_url is client.received_stream_id is None
    assert client.sayna_participant_identity is client.sayna_participant_name is None
    assert client.closed is None
    assert SaynaClient("http://x", STT, TTS, api_key="").api_key == ""


def test_errors_keep_their_families() -> None:
    errors = sayna_client
    tree: dict[type[Exception], type[Exception]] = {
        errors.SaynaError: Exception,
        errors.SaynaNotConnectedError: errors.SaynaError,
        errors.SaynaNotReadyError: errors.SaynaError,
        errors.SaynaConnectionError: errors.SaynaError,
        errors.SaynaValidationError: errors.SaynaError,
        errors.SaynaServerError: errors.SaynaError,
        errors.SaynaHttpError: errors.SaynaServerError,
        errors.SaynaRefusedError: errors.SaynaConnectionError,
        errors.SaynaTimeoutError: errors.SaynaConnectionError,
        errors.SaynaSpeechError: errors.SaynaError,
    }
    assert {kind: kind.__bases__[0] for kind in tree} == tree
    assert "Not connected" in str(errors.SaynaNotConnectedError())
    assert "not ready" in str(errors.SaynaNotReadyError())
    cause = ValueError("x")
    assert errors.SaynaConnectionError("m", cause).cause is cause
    server = errors.SaynaServerError("m", 500, "/x")
    assert (server.message, str(server), server.status_code, server.endpoint) == (
        "m",
        "m",
        500,
        "/x",
    )
    assert errors.SaynaHttpError("m", 404).status_code == 404
    assert issubclass(errors.SaynaTimeoutError, TimeoutError)


REQUIRED: dict[str, str] = {
    "Pronunciation": "word pronunciation",
    "ApiKeyAuth": "api_key",
    "GoogleAuth": "credentials",
    "AzureAuth": "api_key region",
    "STTConfig": "provider model",
    "TTSConfig": "provider",
    "LiveKitConfig": "room_name",
    "LoadingAudioConfig": "data",
    "ConfigMessage": "",
    "SpeakMessage": "text",
    "ClearMessage": "",
    "LoadingStartMessage": "",
    "LoadingStopMessage": "",
    "SendMessageMessage": "message role",
    "SipTransferMessage": "transfer_to",
    "ReadyMessage": "",
    "STTResultMessage": "transcript is_final is_speech_final confidence",
    "ErrorMessage": "message",
    "SipTransferErrorMessage": "message",
    "SaynaMessage": "identity topic room timestamp",
    "MessageMessage": "message",
    "Participant": "identity room timestamp",
    "ParticipantConnectedMessage": "participant",
    "ParticipantDisconnectedMessage": "participant",
    "Track": "identity track_kind track_sid room timestamp",
    "TrackSubscribedMessage": "track",
    "TTSPlaybackCompleteMessage": "timestamp",
    "HealthResponse": "status",
    "VoiceDescriptor": "id name",
    "SpeakRequest": "text tts_config",
    "LiveKitTokenRequest": "room_name participant_name participant_identity",
    "LiveKitTokenResponse": "token room_name participant_identity livekit_url",
    "LiveKitRoomSummary": "name num_participants creation_time",
    "LiveKitRoomsResponse": "rooms",
    "LiveKitParticipantInfo": (
        "sid identity name state kind joined_at metadata attributes is_publisher"
    ),
    "LiveKitRoomDetails": (
        "sid name num_participants max_participants creation_time metadata active_recording"
        " participants"
    ),
    "RemoveLiveKitParticipantRequest": "room_name participant_identity",
    "RemoveLiveKitParticipantResponse": "status room_name participant_identity",
    "MuteLiveKitParticipantRequest": "room_name participant_identity track_sid muted",
    "MuteLiveKitParticipantResponse": "room_name participant_identity track_sid muted",
    "SipHook": "host url auth_id",
    "SipHooksResponse": "",
    "SetSipHooksRequest": "hooks",
    "DeleteSipHooksRequest": "hosts",
    "SipTransferRequest": "room_name participant_identity transfer_to",
    "SipTransferResponse": "status room_name participant_identity transfer_to",
    "SipCallSipConfig": "",
    "SipCallRequest": (
        "room_name participant_name participant_identity from_phone_number to_phone_number"
    ),
    "SipCallResponse": "status room_name participant_identity participant_id sip_call_id",
    "WebhookSIPParticipant": "identity sid",
    "WebhookSIPRoom": "name sid",
    "WebhookSIPOutput": ("participant room from_phone_number to_phone_number room_prefix sip_host"),
}


@pytest.mark.parametrize("name", REQUIRED)
def test_each_model_requires_these_fields(name: str) -> None:
    model: type[BaseModel] = getattr(types, name)
    required = [key for key, field in model.model_fields.items() if field.is_required()]
    assert required == REQUIRED[name].split()


def test_models_are_lax_and_forgiving_as_before() -> None:
    data: dict[str, Any] = {"provider": "d", "model": "m", "sample_rate": "16000"}
    assert types.STTConfig(**data).sample_rate == 16000
    assert types.TTSConfig(provider="cartesia", voice_id="v").speaking_rate == 1.0
    config = types.LiveKitConfig(room_name="r")
    assert config.model_dump() == {
        "room_name": "r",
        "enable_recording": False,
        "sayna_participant_identity": "sayna-ai",
        "sayna_participant_name": "Sayna AI",
        "listen_participants": [],
    }
    with pytest.warns(UserWarning, match="STTConfig has no field bogus") as caught:
        types.STTConfig(provider="d", model="m", bogus=1)  # type: ignore[call-arg]
    assert caught[0].filename == __file__
    kept = types.ReadyMessage.model_validate({"type": "ready", "newer": 1})
    assert kept.model_extra == {"newer": 1}


@pytest.mark.parametrize("name", ["ApiKeyAuth", "GoogleAuth", "AzureAuth", "LoadingAudioConfig"])
def test_credentials_and_loading_audio_forbid_unknown_fields(name: str) -> None:
    fields = dict.fromkeys(REQUIRED[name].split(), "x")
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        getattr(types, name)(**fields, bogus=1)


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ({"api_key": "K"}, "ApiKeyAuth"),
        ({"credentials": {}}, "GoogleAuth"),
        ({"api_key": "K", "region": "r"}, "AzureAuth"),
    ],
    ids=["key", "google", "azure"],
)
def test_a_dict_picks_its_class_of_credentials(auth: dict[str, Any], kind: str) -> None:
    config = types.STTConfig.model_validate({"provider": "d", "model": "m", "auth": auth})
    assert type(config.auth).__name__ == kind
    with pytest.raises(ValueError, match="validation errors"):
        types.STTConfig.model_validate({"provider": "d", "model": "m", "auth": {}})

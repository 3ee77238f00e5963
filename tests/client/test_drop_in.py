"""What code written for 0.0.18 relies on (sdk-surface.md 2 to 9), and defects of it (10)."""

import asyncio
import copy
import gc
import inspect
import logging
import pickle
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, RootModel, ValidationError

from sayna_client import (
    Limits,
    LoadingAudioConfig,
    SaynaClient,
    SaynaConnectionError,
    SaynaError,
    SaynaHttpError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
    SaynaRefusedError,
    SaynaServerError,
    SaynaTimeoutError,
    SaynaValidationError,
    SaynaWebhookReplayError,
    STTConfig,
    TTSConfig,
    types,
)
from sayna_client.http_client import SaynaHttpClient
from tests.client.http_peer import Answer, http_peer
from tests.client.peer import READY, Wire, peer
from tests.client.session import (
    STT,
    TTS,
    client_of,
    finished,
    nothing_left,
    paused,
    result,
    talk,
)

SECRET = "S3CR3T-VALUE"
Act = Callable[[SaynaClient], Awaitable[Any]]

# What each model fills in (section 7); what is required stands in test_surface.py.
DEFAULTS: dict[str, dict[str, Any]] = {
    "STTConfig": {
        "language": "en-US",
        "sample_rate": 16000,
        "channels": 1,
        "punctuation": True,
        "encoding": "linear16",
        "auth": None,
    },
    "TTSConfig": {
        "voice_id": None,
        "speaking_rate": 1.0,
        "audio_format": None,
        "sample_rate": None,
        "connection_timeout": None,
        "request_timeout": None,
        "model": "",
        "pronunciations": [],
        "auth": None,
    },
    "LiveKitConfig": {
        "enable_recording": False,
        "sayna_participant_identity": "sayna-ai",
        "sayna_participant_name": "Sayna AI",
        "listen_participants": [],
    },
    "LoadingAudioConfig": {"format": None, "sample_rate": None, "channels": None, "volume": None},
    "ConfigMessage": {
        "type": "config",
        "stream_id": None,
        "audio": True,
        "stt_config": None,
        "tts_config": None,
        "livekit": None,
        "loading_audio": None,
    },
    "SpeakMessage": {"type": "speak", "flush": None, "allow_interruption": None},
    "ClearMessage": {"type": "clear"},
    "LoadingStartMessage": {"type": "loading_start"},
    "LoadingStopMessage": {"type": "loading_stop"},
    "SendMessageMessage": {"type": "send_message", "topic": None, "debug": None},
    "SipTransferMessage": {"type": "sip_transfer"},
    "ReadyMessage": {
        "type": "ready",
        "stream_id": None,
        "livekit_room_name": None,
        "livekit_url": None,
        "sayna_participant_identity": None,
        "sayna_participant_name": None,
    },
    "STTResultMessage": {"type": "stt_result"},
    "ErrorMessage": {"type": "error"},
    "SipTransferErrorMessage": {"type": "sip_transfer_error"},
    "SaynaMessage": {"message": None, "data": None},
    "MessageMessage": {"type": "message"},
    "Participant": {"name": None},
    "ParticipantConnectedMessage": {"type": "participant_connected"},
    "ParticipantDisconnectedMessage": {"type": "participant_disconnected"},
    "Track": {"name": None},
    "TrackSubscribedMessage": {"type": "track_subscribed"},
    "TTSPlaybackCompleteMessage": {"type": "tts_playback_complete"},
    "VoiceDescriptor": {
        "sample": "",
        "accent": "Unknown",
        "gender": "Unknown",
        "language": "Unknown",
    },
    "SipHooksResponse": {"hooks": []},
    "SipCallSipConfig": {"outbound_address": None, "auth_username": None, "auth_password": None},
    "SipCallRequest": {"sip": None},
    "WebhookSIPParticipant": {"name": None},
    "WebhookSIPOutput": {"sip_headers": None},
}
MODELS = [
    name
    for name in types.__all__
    if isinstance(getattr(types, name), type)
    and issubclass(getattr(types, name), BaseModel)
    and not issubclass(getattr(types, name), RootModel)
]
NEW = {"TurnDetectSettings", "UnknownMessage", "UpdateConfigMessage", "VadEventMessage"}


@pytest.mark.parametrize("name", sorted(set(MODELS) - NEW - {"VadSettings"}))
def test_each_model_fills_in_these_values(name: str) -> None:
    model: type[BaseModel] = getattr(types, name)
    filled_in = {
        key: field.get_default(call_default_factory=True)
        for key, field in model.model_fields.items()
        if not field.is_required()
    }
    assert filled_in == DEFAULTS.get(name, {})


@pytest.mark.parametrize("name", [name for name, kept in DEFAULTS.items() if "type" in kept])
def test_a_frame_is_of_its_own_type_only(name: str) -> None:
    with pytest.raises(ValidationError, match="Input should be"):
        getattr(types, name).model_validate({"type": "another"})


def test_voices_are_a_root_model_and_track_kinds_a_name() -> None:
    voices = types.VoicesResponse.model_validate({"deepgram": [{"id": "v", "name": "n"}]})
    assert voices.root["deepgram"][0].language == "Unknown"
    assert types.TrackKind is not None


def test_a_hook_list_to_delete_must_not_be_empty() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        types.DeleteSipHooksRequest(hosts=[])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("__init__", {"base_url": inspect.Parameter.empty, "api_key": None}),
        ("get", {"endpoint": inspect.Parameter.empty, "params": None}),
        ("post", {"endpoint": inspect.Parameter.empty, "data": None, "json_data": None}),
        ("delete", {"endpoint": inspect.Parameter.empty, "json_data": None}),
        ("get_binary", {"endpoint": inspect.Parameter.empty, "params": None}),
        ("post_binary", {"endpoint": inspect.Parameter.empty, "json_data": None}),
    ],
)
def test_the_plain_http_client_is_called_as_before(name: str, parameters: dict[str, Any]) -> None:
    given = inspect.signature(getattr(SaynaHttpClient, name)).parameters.values()
    assert {
        one.name: one.default
        for one in given
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self"
    } == parameters


BROKEN_IN_SEVERAL_WAYS: list[tuple[dict[str, Any], str]] = [
    ({"url": "", "loading_audio": {}}, "URL must be a non-empty string"),
    ({"url": "ftp://x", "loading_audio": {}}, "URL must start with"),
    ({"url": "http://x", "loading_audio": {}}, "stt_config and tts_config are required"),
    (
        {"url": "http://x", "without_audio": True, "loading_audio": {"data": ""}},
        "loading_audio must be a LoadingAudioConfig instance",
    ),
    (
        {
            "url": "http://x",
            "without_audio": True,
            "loading_audio": LoadingAudioConfig(data=""),
            "api_key": 5,
        },
        "loading_audio.data",
    ),
]


@pytest.mark.parametrize(("arguments", "text"), BROKEN_IN_SEVERAL_WAYS, ids=range(5))
def test_the_first_thing_wrong_is_told_in_the_documented_order(
    arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(SaynaValidationError) as caught:
        SaynaClient(**arguments)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    "name",
    [
        "connected",
        "ready",
        "livekit_room_name",
        "livekit_url",
        "sayna_participant_identity",
        "sayna_participant_name",
        "received_stream_id",
    ],
)
def test_what_the_server_grants_is_read_only(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(SaynaClient("http://x", STT, TTS), name, "x")


def test_clients_are_made_in_no_loop_and_have_these_limits() -> None:
    limits = SaynaClient("http://x", STT, TTS).limits
    assert limits == Limits()
    assert (limits.open, limits.ready, limits.send, limits.close) == (10, 75, 10, 1)
    assert (limits.request, limits.heartbeat) == (300, 30)
    assert (limits.events, limits.audio, limits.message) == (1000, 8 * 2**20, 16 * 2**20)


def test_a_missing_key_comes_from_the_environment_and_an_empty_one_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAYNA_API_KEY", "FROM_ENV")
    assert SaynaClient("http://x", STT, TTS, api_key="").api_key == ""
    monkeypatch.delenv("SAYNA_API_KEY")
    assert SaynaClient("http://x", STT, TTS).api_key is None


async def test_without_a_key_no_authorization_is_sent() -> None:
    async with (
        http_peer(Answer(body={"status": "OK"})) as server,
        client_of(server.url, api_key="") as client,
    ):
        await client.health()
    assert "authorization" not in server.seen[0].headers


async def test_entering_a_client_does_not_connect_it() -> None:
    client = SaynaClient("http://127.0.0.1:1", STT, TTS)
    async with client as entered:
        assert entered is client
        assert not client.connected


async def test_what_needs_no_doing_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_until_closed()

    async with peer(script) as url:
        client = client_of(url, limits=Limits(close=0.05))
        await client.disconnect()
        await client.connect()
        await client.connect()
        assert client.ready
        await client.disconnect()
    warned = [(one.name, one.message) for one in caplog.records if one.levelno == logging.WARNING]
    assert warned == [
        ("sayna_client.client", "Not connected"),
        ("sayna_client.client", "Already connected"),
    ]


WHO = {"identity": "sip_+15550100", "room": "r", "timestamp": 1}


async def test_each_thing_is_logged_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sayna_client")
    frames: list[dict[str, Any]] = [
        {"type": "participant_connected", "participant": WHO},
        {"type": "track_subscribed", "track": {**WHO, "track_kind": "audio", "track_sid": "t"}},
        {"type": "participant_disconnected", "participant": WHO},
        {"type": "error", "message": "TTS error: it broke"},
        {"type": "sip_transfer_error", "message": "No SIP participant"},
        {"type": "news"},
        result("what was said"),
    ]
    async with talk(*frames) as client, client.connect():
        await finished(client)
    lines = [(one.levelname, one.message) for one in caplog.records if one.name.startswith("sayna")]
    told = [line for line in lines if line[0] != "DEBUG"]
    assert told[0][1].startswith("Connected to ws://127.0.0.1:")
    assert told[1:] == [
        ("INFO", "Ready, stream s-1"),
        ("INFO", "Received participant_connected"),
        ("INFO", "Received track_subscribed"),
        ("INFO", "Received participant_disconnected"),
        ("ERROR", "The server reports error: TTS error: it broke"),
        ("ERROR", "The server reports sip_transfer_error: No SIP participant"),
        ("WARNING", "Unknown message type: news"),
        ("INFO", "The connection was closed by the server (no close code)"),
    ]
    assert ("DEBUG", "Sending config") in lines
    assert [text for level, text in lines if level == "DEBUG" and "what was said" in text]
    assert "what was said" not in "".join(text for level, text in told)
    assert "5550100" not in "".join(text for level, text in told)


async def test_a_refused_handshake_hides_the_query_and_keeps_the_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")

    async with peer(script) as url:
        client = client_of(f"{url.replace('http', 'ws')}/ws?api_key={SECRET}", api_key=SECRET)
        with pytest.raises(SaynaConnectionError) as caught:
            await client.connect()
    error = caught.value
    assert str(error).startswith("Failed to connect to WebSocket: 401")
    assert (error.status_code, error.cause.status) == (401, 401)  # type: ignore[union-attr]
    assert SECRET not in f"{error} {error!r} {error.cause!r} {vars(error.cause)} {caplog.text}"


async def test_after_a_close_of_the_server_a_client_connects_again() -> None:
    async with talk(result("a")) as client:
        for _ in range(3):
            await client.connect()
            await finished(client)
            assert not client.connected
            assert nothing_left() == []
            assert client.received_stream_id == "s-1"
        await client.disconnect()
    gc.collect()


async def test_a_client_used_for_rest_alone_is_closed_by_leaving_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with http_peer(Answer(body={"status": "OK"})) as server:
            async with SaynaClient(server.url, without_audio=True) as client:
                await client.health()
            del client
            gc.collect()


async def test_connecting_without_waiting_tells_a_refusal_to_the_error_callback() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": "Unsupported provider: acme"})
        await wire.receive_until_closed()

    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with peer(script) as url, client_of(url, limits=Limits(close=0.05)) as client:
        client.register_on_error(lambda error: told.set_result(error.message))
        await client.connect(wait_ready=False)
        assert await told == "Unsupported provider: acme"
        with pytest.raises(SaynaRefusedError, match="Unsupported provider: acme"):
            await client.connect()
        assert not client.connected


async def test_connecting_again_waits_for_ready() -> None:
    consent = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        await consent.wait()
        wire.send(READY)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(close=0.05)) as client:
        await client.connect(wait_ready=False)
        await client.connect(wait_ready=False)
        again = asyncio.ensure_future(client.connect())
        await asyncio.sleep(0)
        assert not client.ready
        consent.set()
        await again
        assert client.ready


SENDS: list[tuple[Act, str]] = [
    (lambda c: c.speak("x"), "speak"),
    (lambda c: c.tts_flush(), "speak"),
    (lambda c: c.clear(), "clear"),
    (lambda c: c.on_audio_input(b"x"), "audio"),
    (lambda c: c.send_audio_stream([b"x"]), "audio"),
    (lambda c: c.send_message("m", "r"), "send_message"),
    (lambda c: c.sip_transfer("+1"), "sip_transfer"),
    (lambda c: c.loading_start(), "loading_start"),
    (lambda c: c.loading_stop(), "loading_stop"),
    (lambda c: c.update_config(), "update_config"),
]


@pytest.mark.parametrize(("act", "kind"), SENDS, ids=[str(n) for n in range(len(SENDS))])
async def test_each_command_fails_alike_when_the_connection_dies_behind_a_busy_callback(
    act: Act, kind: str
) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        for n in range(5):
            wire.send(result(str(n)))
        await wire.receive()
        wire.drop()

    busy = asyncio.Event()

    async def handler(_: Any) -> None:
        await busy.wait()

    async def until_it_fails(client: SaynaClient) -> None:
        while True:
            await act(client)
            await asyncio.sleep(0)

    limits = Limits(events=1, close=0.05)
    async with peer(script) as url, client_of(url, limits=limits) as client:
        client.register_on_stt_result(handler)
        await client.connect()
        await paused(client)
        await client.loading_stop()
        with pytest.raises(SaynaConnectionError, match=f"^Failed to send {kind} message: "):
            await asyncio.wait_for(until_it_fails(client), 5)
        busy.set()


def test_the_configurations_of_the_old_readme_are_valid() -> None:
    assert STTConfig(provider="deepgram", model="nova-2").encoding == "linear16"
    assert TTSConfig(provider="cartesia", voice_id="v").model == ""


def client(**options: Any) -> SaynaClient:
    return SaynaClient("http://x", without_audio=True, **options)


UNUSABLE: list[tuple[Callable[[], object], str]] = [
    (lambda: client(headers=[("X", "1")]), "headers must be a Mapping instance, got list"),
    (lambda: client(proxy=5), "proxy must start with http:// or https://, followed by a host; got"),
    (lambda: client(proxy="http://"), "proxy must start with http:// or https://"),
    (lambda: client(ssl="x"), "ssl must be an SSLContext or bool instance, got str"),
    (lambda: client(session="x"), "session must be a ClientSession instance, got str"),
    (lambda: client().on("ready", 5), "handler must be callable, got int"),  # type: ignore[call-overload]
]


@pytest.mark.parametrize(("make", "text"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_cannot_be_used_is_refused_at_once(make: Callable[[], object], text: str) -> None:
    with pytest.raises(SaynaValidationError) as caught:
        make()
    assert str(caught.value).startswith(text)


def test_a_proxy_without_a_scheme_is_refused_without_its_password() -> None:
    with pytest.raises(SaynaValidationError, match="got another str") as caught:
        client(proxy=f"me:{SECRET}@proxy:8080")
    assert SECRET not in str(caught.value)


MISTAKES: list[tuple[dict[str, Any], Act, str]] = [
    ({"headers": {"X": "a\r\nb"}}, lambda c: c.health(), "GET / cannot be made: "),
    ({"headers": {"X": object()}}, lambda c: c.health(), "GET / cannot be made: "),
    ({"api_key": f"{SECRET}\r\n"}, lambda c: c.health(), "GET / cannot be made: "),
    ({}, lambda c: c.request("GE T", "/"), "GE T / cannot be made: "),
    ({}, lambda c: c.request("GET", 5), "path must be a non-empty string, got int"),  # type: ignore[arg-type]
    ({}, lambda c: c.request(None, "/"), "method must be a non-empty string"),  # type: ignore[arg-type]
    ({}, lambda c: c.wait_for("ready", 5), "check must be callable, got int"),  # type: ignore[call-overload]
    ({}, lambda c: c.wait_for("ready", timeout=-1), "timeout must be a number, 0 or more, got -1"),
    ({}, lambda c: c.disconnect(drain=-1), "drain must be a number, 0 or more, got -1"),
]


@pytest.mark.parametrize(("options", "act", "text"), MISTAKES, ids=range(len(MISTAKES)))
async def test_mistakes_in_calls_are_validation_errors(
    options: dict[str, Any], act: Act, text: str
) -> None:
    async with http_peer(Answer(body={"status": "OK"})) as server:
        caller = SaynaClient(server.url, without_audio=True, **options)
        with pytest.raises(SaynaValidationError) as caught:
            await act(caller)
        await caller.disconnect()
    assert str(caught.value).startswith(text)
    assert SECRET not in str(caught.value)
    assert server.seen == []


async def test_a_closed_session_of_the_application_is_told() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    caller = client(session=session)
    with pytest.raises(SaynaConnectionError, match="the aiohttp session was closed"):
        await caller.health()
    with pytest.raises(SaynaConnectionError, match="Unexpected error during connection: Session"):
        await caller.connect()


ERRORS = [
    SaynaNotConnectedError(),
    SaynaNotReadyError(),
    SaynaRefusedError("m", close_code=4001, close_reason="r"),
    SaynaTimeoutError("m"),
    SaynaValidationError("m", status_code=400, code="C", body="b", retry_after=1.0),
    SaynaServerError("m", 500, "/x", headers={"a": "b"}),
    SaynaHttpError("m", 404, "/x", code="C", body="b", headers={"a": "b"}),
    SaynaWebhookReplayError("m"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy], ids=["pickle", "copy"]
)
def test_errors_travel_between_processes_whole(error: SaynaError, travel: Any) -> None:
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))

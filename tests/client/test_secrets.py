"""Secrets stay inside: reprs, logs, errors and their causes; what people say stays at DEBUG."""

import asyncio
import json
import logging
import traceback
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sayna_client import (
    ApiKeyAuth,
    AzureAuth,
    GoogleAuth,
    LiveKitTokenResponse,
    SaynaClient,
    SaynaConnectionError,
    SaynaValidationError,
    SipCallSipConfig,
    STTConfig,
    TTSConfig,
    resolve_config_auth,
    resolve_google_credentials,
)
from sayna_client.credentials import resolve_provider_auth
from tests.client.http_peer import Answer, http_peer
from tests.client.session import finished, talk

SECRET = "S3CR3T-VALUE"


@pytest.mark.parametrize(
    "value",
    [
        ApiKeyAuth(api_key=SECRET),
        AzureAuth(api_key=SECRET, region="eu"),
        GoogleAuth(credentials={"private_key": SECRET}),
        SipCallSipConfig(auth_password=SECRET),
        LiveKitTokenResponse(
            token=SECRET, room_name="r", participant_identity="i", livekit_url="ws://x"
        ),
        STTConfig(provider="d", model="m", auth=ApiKeyAuth(api_key=SECRET)),
        TTSConfig(provider="d", auth=ApiKeyAuth(api_key=SECRET)),
        SaynaClient(
            f"ws://u:{SECRET}@host/ws?api_key={SECRET}", without_audio=True, api_key=SECRET
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_reprs_hide_secrets(value: object) -> None:
    assert SECRET not in f"{value!r} {value}"


def test_validation_errors_do_not_quote_what_was_given() -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        STTConfig.model_validate(
            {"provider": "d", "model": "m", "auth": {"api_key": [SECRET], "bogus": SECRET}}
        )
    assert SECRET not in f"{caught.value} {caught.value!r}"


async def test_no_log_at_any_level_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with talk("{") as client:
        client.tts_config = TTSConfig(provider="d", auth=ApiKeyAuth(api_key=SECRET))
        private: Any = SaynaClient(
            f"{client.url}?api_key={SECRET}", client.stt_config, client.tts_config, api_key=SECRET
        )
        async with private.connect():
            await finished(private)
    assert "Connected to ws://" in caplog.text
    assert SECRET not in caplog.text


async def test_what_people_say_is_in_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    said = "my card number is 4111"
    frames: list[Any] = [
        {"type": "stt_result", "transcript": said, "is_final": 7},
        {"type": "stt_result", "transcript": [said], "is_final": True},
        f'{{"transcript":"{said}"',
        f'["{said}"]',
        json.dumps({"transcript": said}),
        {"type": "news", "transcript": said},
    ]
    async with talk(*frames) as client, client.connect():
        await finished(client)
    assert said not in caplog.text
    assert "Ignoring malformed websocket message type stt_result" in caplog.text
    assert "Unknown message type: news" in caplog.text


async def test_a_transcript_without_a_confidence_is_not_lost() -> None:
    frame = {
        "type": "stt_result",
        "transcript": "x",
        "is_final": True,
        "is_speech_final": False,
        "confidence": None,
    }
    heard: list[float] = []
    async with talk(frame, {"type": "vad_event", "event": "turn_end", "timestamp_ms": 1}) as client:
        client.on("stt_result", lambda m: heard.append(m.confidence))
        client.on("vad_event", lambda m: heard.append(m.timestamp_ms))
        async with client.connect():
            await finished(client)
    assert heard == [0.0, 1]


async def test_a_removal_that_the_server_hangs_up_on_hides_query_and_proxy_password() -> None:
    async with http_peer(Answer(hang_up=True)) as proxy:
        client = SaynaClient(
            f"http://sayna.invalid?api_key={SECRET}",
            without_audio=True,
            proxy=proxy.url.replace("http://", f"http://me:{SECRET}@"),
        )
        with pytest.raises(SaynaConnectionError, match="the request had been sent") as caught:
            await client.remove_livekit_participant("r", "i")
        await client.disconnect()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value.cause)


async def test_a_connection_that_is_not_made_in_time_hides_the_query() -> None:
    connector = aiohttp.TCPConnector(limit=1)
    timeout = aiohttp.ClientTimeout(connect=0.05)
    async with (
        http_peer(Answer(never=True)) as peer,
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
    ):
        client = SaynaClient(f"{peer.url}?api_key={SECRET}", without_audio=True, session=session)
        first = asyncio.create_task(client.health(timeout=5))
        while not peer.seen:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        with pytest.raises(SaynaConnectionError, match="no connection in time") as caught:
            await client.health(retries=0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert SECRET not in "".join(traceback.format_exception(caught.value))


BAD_CREDENTIALS: list[tuple[Any, str]] = [
    ("[1]", "must parse to an object"),
    (f'{{"private_key": "{SECRET}",}}', "could not be read as a file"),
    ("/nope.json", "could not be read as a file"),
    ("\x00bad", "could not be read as a file"),
    (None, "must be a dict or str, got NoneType"),
]


@pytest.mark.parametrize(("given", "text"), BAD_CREDENTIALS, ids=["list", "comma", "no", "0", "n"])
def test_bad_google_credentials_are_refused_without_quoting_them(given: Any, text: str) -> None:
    with pytest.raises(SaynaValidationError) as caught:
        resolve_google_credentials(given)
    assert text in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xff\xfe", "could not be read as a file"),
        (b"no json", "does not contain valid JSON"),
        (b"[1]", "must contain a JSON object"),
    ],
    ids=["binary", "text", "list"],
)
def test_a_file_without_credentials_is_refused(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_bytes(content)
    with pytest.raises(SaynaValidationError, match=text):
        resolve_google_credentials(str(path))


def test_google_credentials_are_resolved_from_dict_json_and_file(tmp_path: Path) -> None:
    credentials = {"project_id": "p"}
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(credentials))
    assert resolve_google_credentials(credentials) is credentials
    assert resolve_google_credentials(json.dumps(credentials)) == credentials
    assert resolve_google_credentials(str(path)) == credentials

    config = STTConfig(provider="google", model="m", auth=GoogleAuth(credentials=str(path)))
    resolved = resolve_config_auth(config)
    assert resolved is not None
    assert resolved.auth == GoogleAuth(credentials=credentials)
    assert config.auth == GoogleAuth(credentials=str(path))
    assert resolve_config_auth(resolved) is resolved
    assert resolve_config_auth(None) is None
    key = ApiKeyAuth(api_key="K")
    assert resolve_provider_auth(key) is key

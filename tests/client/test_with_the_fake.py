"""The SDK against the fake server: what the real one does is what our client copes with."""

from typing import Any

import pytest

from sayna_client import (
    LiveKitConfig,
    SaynaClient,
    SaynaHttpError,
    SaynaRefusedError,
    STTConfig,
    TTSConfig,
)
from tests.client.session import STT, TTS


async def test_speech_is_said_and_heard(sayna_server: Any) -> None:
    async with SaynaClient(sayna_server.url, STT, TTS) as client:
        audio = client.audio()
        async with client.connect():
            await client.say("Hello there")
            await client.say("Good bye")
            assert client.counters.audio > 10_000
        assert sum([len(piece) async for piece in audio]) == client.counters.audio


async def test_a_clear_ends_what_is_being_said(sayna_server: Any) -> None:
    async with SaynaClient(sayna_server.url, STT, TTS).connect() as client:
        await client.speak("one")
        await client.clear()
        await client.say("two")
        assert client.ready


async def test_a_refusal_of_the_fake_is_told(sayna_server: Any) -> None:
    stt = STTConfig(provider="acme", model="m")
    with pytest.raises(SaynaRefusedError, match="Unsupported provider: acme"):
        await SaynaClient(sayna_server.url, stt, TTSConfig(provider="acme")).connect()


async def test_rest_is_answered(sayna_server: Any) -> None:
    async with SaynaClient(sayna_server.url, without_audio=True) as client:
        assert (await client.health()).status == "OK"
        assert await client.get_voices()
        audio, headers = await client.speak_rest("Hello", TTS)
        assert len(audio) == int(headers["Content-Length"])
        with pytest.raises(SaynaHttpError, match="Room 'r' not found"):
            await client.get_livekit_room("r")


async def test_a_room_session_has_its_properties(sayna_server: Any) -> None:
    room = LiveKitConfig(room_name="call-1")
    async with SaynaClient(sayna_server.url, STT, TTS, room).connect() as client:
        assert client.livekit_room_name == "call-1"
        await client.send_message("hello", "assistant")
        assert [one.name for one in (await client.get_livekit_rooms()).rooms] == ["call-1"]
    assert client.closed is not None
    assert client.closed.initiator == "client"

"""The SDK against the fake server: what the real one does is what our client copes with."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, Request

from sayna_client import (
    LiveKitConfig,
    ParticipantDisconnectedMessage,
    SaynaClient,
    SaynaHttpError,
    SaynaRefusedError,
    STTConfig,
    STTResultMessage,
    TTSConfig,
    WebhookReceiver,
)
from sayna_testing import WEBHOOK_SECRET
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


async def test_a_blank_text_is_not_waited_for(sayna_server: Any) -> None:
    async with SaynaClient(sayna_server.url, STT, TTS).connect() as client:
        await client.speak("  ")
        async with asyncio.timeout(5):
            await client.say("two")


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


async def test_an_application_written_for_the_predecessor_takes_a_call(
    sayna_server: Any, sayna_clock: Any
) -> None:
    """As the official sample does it (sdk-surface.md 11), down to its private clean-up."""
    app = FastAPI()
    receiver = WebhookReceiver(WEBHOOK_SECRET)
    calls: list[asyncio.Task[None]] = []
    cleaned_up = asyncio.Event()

    async def talk(room: str) -> None:
        client = SaynaClient(
            sayna_server.url,
            STTConfig(
                provider="deepgram",
                language="en-US",
                sample_rate=16000,
                channels=1,
                punctuation=True,
                encoding="linear16",
                model="nova-2",
            ),
            TTSConfig(provider="cartesia", voice_id="v", sample_rate=16000, model="sonic"),
            LiveKitConfig(room_name=room),
            without_audio=False,
        )
        ready, over = asyncio.Event(), asyncio.Event()

        async def on_stt_result(result: STTResultMessage) -> None:
            if result.is_final:
                for sentence in ("I see.", "You said so."):
                    await client.speak(sentence)

        async def on_participant_disconnected(_: ParticipantDisconnectedMessage) -> None:
            await client.disconnect()
            over.set()

        client.register_on_ready(lambda _: ready.set())
        client.register_on_stt_result(on_stt_result)
        client.register_on_participant_disconnected(on_participant_disconnected)
        await client.connect()
        await asyncio.wait_for(ready.wait(), 5)
        await client.speak("Hello! How can I help?")
        await over.wait()
        await client._http_client.close()
        cleaned_up.set()

    @app.post("/webhook")
    async def webhook(request: Request) -> dict[str, str]:
        body = (await request.body()).decode()
        call = receiver.receive(headers=dict(request.headers), body=body)
        calls.append(asyncio.create_task(talk(call.room.name)))
        return {"status": "ok"}

    async with sayna_server.call(from_="+15550100", to="+15550101", webhook=app) as caller:
        await caller.hears("How can I help")
        await caller.says("a table for two")
        await caller.hears("You said so")
    await asyncio.wait_for(cleaned_up.wait(), 5)
    await calls[0]

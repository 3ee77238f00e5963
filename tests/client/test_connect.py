"""Connecting: `connect()` tells the truth."""

import asyncio
from typing import Any

import pytest

from sayna_client import (
    Limits,
    SaynaClient,
    SaynaConnectionError,
    SaynaRefusedError,
    SaynaTimeoutError,
    STTConfig,
    TTSConfig,
)
from tests.client.peer import Wire, peer

STT = STTConfig(provider="deepgram", model="nova-3")
TTS = TTSConfig(provider="deepgram", model="aura-asteria-en")


async def test_connect_returns_when_the_server_is_ready() -> None:
    configs: list[dict[str, Any]] = []

    async def script(wire: Wire) -> None:
        configs.append(await wire.configured())
        await wire.receive_until_closed()

    async with peer(script) as url, SaynaClient(url, STT, TTS) as client:
        await client.connect()
        assert client.connected
        assert client.ready
        assert configs[0]["type"] == "config"


async def test_a_refused_configuration_raises_the_servers_words() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": "Unsupported provider: acme"})
        await wire.receive_until_closed()

    async with peer(script) as url:
        client = SaynaClient(url, STT, TTS)
        with pytest.raises(SaynaRefusedError, match="Unsupported provider: acme"):
            await client.connect()
        assert not client.connected


async def test_a_close_before_ready_raises_its_code() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.close_frame(4001, "go away")
        await wire.receive_until_closed()

    async with peer(script) as url:
        client = SaynaClient(url, STT, TTS)
        with pytest.raises(SaynaConnectionError, match="4001") as caught:
            await client.connect()
        assert caught.value.close_code == 4001


async def test_ready_that_never_comes_ends_at_its_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_until_closed()

    async with peer(script) as url:
        client = SaynaClient(url, STT, TTS, limits=Limits(ready=0.05))
        with pytest.raises(SaynaTimeoutError, match=r"0\.05"):
            await client.connect()
        assert client.state == "disconnected"


async def test_speech_and_audio_reach_the_callbacks() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        spoken = await wire.receive_json()
        wire.send(b"\x01\x02")
        wire.send({"type": "tts_playback_complete", "timestamp": 1})
        assert spoken == {
            "type": "speak",
            "text": "Hello",
            "flush": True,
            "allow_interruption": True,
        }
        wire.close_frame()
        await wire.receive_until_closed()

    audio: list[bytes] = []
    done = asyncio.Event()
    async with peer(script) as url, SaynaClient(url, STT, TTS) as client:
        client.register_on_tts_audio(audio.append)
        client.register_on_tts_playback_complete(lambda _: done.set())
        await client.connect()
        await client.speak("Hello")
        await done.wait()
    assert audio == [b"\x01\x02"]

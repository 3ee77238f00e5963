"""What sessions do where few come: slow links, settings of our own, clients that do not read."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.memory import MemoryTransport
from sayna_testing.server.rooms import AgentAudioCleared, Participant, RoomEvent
from sayna_testing.server.session import Delivered
from sayna_testing.server.settings import ServerSettings
from sayna_testing.speech import synthesize
from tests.frames import STT, TTS
from tests.server.conftest import Bench, Client, Peer

NO_RECOGNISER = "no recogniser: no config with audio was accepted"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n"
)
HIGH_WATER = 64 * 1024
Act = Callable[[Bench, Peer], Coroutine[None, None, None]]


def play(act: Act, settings: ServerSettings | None = None) -> None:
    """Run something with one session on a virtual clock."""

    async def run() -> None:
        bench = Bench(settings)
        try:
            await act(bench, await bench.connect())
        finally:
            await bench.close()

    with virtual_time():
        asyncio.run(run())


@pytest.mark.parametrize(
    ("provider", "seconds", "text"),
    [
        ("deepgram", 10, "Connection timeout"),
        ("elevenlabs", 10, "Connection timeout waiting for session_started"),
        ("azure", 30, "Connection timeout waiting for Azure"),
        ("google", 30, "Connection timeout (30s)"),
    ],
)
def test_recogniser_that_does_not_answer_is_given_up(
    provider: str, seconds: int, text: str
) -> None:
    async def act(_bench: Bench, peer: Peer) -> None:
        begun = asyncio.get_running_loop().time()
        answer = await peer.configure(stt_config={**STT, "provider": provider})
        assert answer["type"] == "error"
        assert answer["message"].startswith("Failed to start voice manager: STT error: ")
        assert answer["message"].endswith(text)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(seconds)

    play(act, ServerSettings(stt_connect_latency=60))


def test_documented_flush_drops_what_is_queued() -> None:
    async def act(_bench: Bench, peer: Peer) -> None:
        await peer.configure()
        for text in ("The first", "The second", "The third"):
            await peer.send({"type": "speak", "text": text, "flush": text == "The third"})
        spoken, end = await peer.speech()
        assert end["type"] == "tts_playback_complete"
        await peer.send({"type": "speak", "text": "The third"})
        assert (await peer.speech())[0] == [b"".join(spoken)]

    play(act, ServerSettings(documented_flush=True, tts_latency=0.5))


@pytest.mark.parametrize(("audio_format", "lost"), [("linear16", 1), ("mulaw", 1), ("wav", 0)])
def test_speech_that_breaks_off_at_its_end_lacks_an_unfinished_frame(
    audio_format: str, lost: int
) -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        tts = {**TTS, "audio_format": audio_format, "sample_rate": 22050}
        await peer.configure(tts_config=tts)
        peer.connection.tts_fail_next("Network error: gone", after=1 << 24)
        await peer.send({"type": "speak", "text": "Hello"})
        broken, error = await peer.speech()
        assert error == {"type": "error", "message": "TTS error: Network error: gone"}
        assert (await peer.receive())["type"] == "tts_playback_complete"
        await peer.send({"type": "speak", "text": "Hello"})
        whole, _ = await peer.speech()
        assert len(whole[-1]) < len(whole[0])
        assert broken == whole[: len(whole) - lost]

    play(act)


def test_audio_that_meets_a_fault_goes_no_further() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure()
        bench.state.faults.closed(1011, at=">audio")
        await peer.send(b"\0\0")
        assert (await peer.socket.receive()).data == 1011
        assert bench.entries("audio") == []

    play(act)


@pytest.mark.parametrize("change", [{"encoding": "opus"}, {"sample_rate": 7}])
def test_audio_that_no_recogniser_takes_is_silence(change: dict[str, Any]) -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(stt_config={**STT, **change})
        await peer.send(synthesize("hello", 16000))
        await asyncio.sleep(5)
        assert bench.entries("stt_result") == []
        await peer.silence()

    play(act)


def test_results_without_a_recogniser_are_dropped_and_told() -> None:
    async def run() -> None:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url, autoclose=False) as socket,
        ):
            await socket.send_json({"type": "config", "audio": False})
            assert (await socket.receive_json())["type"] == "ready"
            (session,) = server.sessions
            assert await session.transcribe("hello") == Delivered((), None, (NO_RECOGNISER,) * 2)
            with pytest.raises(RuntimeError, match="no providers yet"):
                await session.speech_fails("Network error: gone")
            with pytest.raises(RuntimeError, match="no providers yet"):
                await asyncio.to_thread(server.run, session.speech_fails("Network error: gone"))

    with FakeSaynaServer() as server:
        asyncio.run(run())
        dropped = [entry.dropped for entry in server.journal if entry.kind == "stt_result"]
        assert dropped == [NO_RECOGNISER] * 2


def test_room_that_was_lost_hears_no_clear() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(livekit={"room_name": "r"})
        await peer.send({"type": "speak", "text": "A text that is still sounding"})
        assert (await peer.receive())["type"] == "tts_playback_complete"
        room = bench.state.rooms.get("r")
        assert room is not None
        events: list[RoomEvent] = []
        room.subscribe(events.append)
        room.leave("sayna-ai")
        await peer.send({"type": "clear"})
        await peer.silence()
        assert not any(isinstance(event, AgentAudioCleared) for event in events)

    play(act)


def test_forced_end_of_speech_is_lost_where_the_queue_is_full() -> None:
    async def act(bench: Bench, _peer: Peer) -> None:
        client = Client()
        near = MemoryTransport.pair(asyncio.get_running_loop(), client, bench.accept())
        config = json.dumps({"type": "config", "stt_config": STT, "tts_config": TTS}).encode()
        near.write(UPGRADE + b"\x81\xfe" + len(config).to_bytes(2, "big") + bytes(4) + config)
        await bench.until("ready")
        connection = bench.connections[-1]
        connection.provider_result("so", is_final=True, is_speech_final=False, confidence=1)
        await asyncio.sleep(0)
        near.pause_reading()
        connection.push_raw(bytes(1 << 20))  # more than is taken without reading
        await asyncio.sleep(0.1)
        for _ in range(1100):
            connection.push({"type": "message"})
        await asyncio.sleep(9)
        near.resume_reading()
        await asyncio.sleep(1)
        assert client.received.count(b'{"type":"message"}') == 1100
        assert client.received.count(b'{"type":"stt_result"') == 1

    play(act)


def test_what_waits_for_a_client_that_does_not_read_is_a_queue_and_a_transport() -> None:
    async def act(bench: Bench, _peer: Peer) -> None:
        client = Client()
        near = MemoryTransport.pair(asyncio.get_running_loop(), client, bench.accept())
        config = json.dumps({"type": "config", "stt_config": STT, "tts_config": TTS}).encode()
        text = json.dumps({"type": "speak", "text": "a long story " * 100}).encode()
        clear = b'{"type":"clear"}'
        near.write(UPGRADE)
        for frame in (config, text):
            near.write(b"\x81\xfe" + len(frame).to_bytes(2, "big") + bytes(4) + frame)
        await bench.until("speak")
        near.pause_reading()
        await asyncio.sleep(1)
        near.write(b"\x81" + bytes([0x80 | len(clear)]) + bytes(4) + clear)
        await asyncio.sleep(1)
        near.resume_reading()
        await asyncio.sleep(1)
        frames = len(client.received) // (320 + 4)
        assert 1024 <= frames <= 1024 + HIGH_WATER // (320 + 4) + 1
        assert b"tts_playback_complete" not in client.received

    play(act)


def test_frames_may_come_byte_by_byte() -> None:
    async def act(bench: Bench, _peer: Peer) -> None:
        client = Client()
        near = MemoryTransport.pair(asyncio.get_running_loop(), client, bench.accept())
        text = json.dumps({"type": "config", "audio": False, "stream_id": "s" * 200}).encode()
        for byte in UPGRADE + b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text:
            near.write(bytes([byte]))
            await asyncio.sleep(0)
        await bench.until("ready")
        await asyncio.sleep(0.1)
        assert client.received.count(b'{"type":"ready"') == 1

    play(act)


def test_frame_may_end_one_utterance_and_begin_the_next() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure()
        sound = synthesize("one two", 16000) + bytes(32000) + synthesize("three four", 16000)
        await peer.send(sound[:-16000])
        await peer.send(sound[-16000:])
        await asyncio.sleep(5)
        finals = [e.data["transcript"] for e in bench.entries("stt_result") if e.data["is_final"]]
        assert [text for text in finals if text] == ["one two", "three four"]

    play(act)


def test_somebody_in_a_room_is_heard_whatever_pieces_come_at_a_rate_that_is_one() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(livekit={"room_name": "r"})
        room = bench.state.rooms.get("r")
        assert room is not None
        room.join(Participant("ann"))
        sound = synthesize("hello there", 16000) + bytes(32000)
        room.speak_audio("ann", sound, 7)
        for start in range(0, len(sound), 3200):
            room.speak_audio("ann", sound[start : start + 3200], 16000)
        await asyncio.sleep(5)
        finals = [e.data["transcript"] for e in bench.entries("stt_result") if e.data["is_final"]]
        assert finals == ["hello there"]

    play(act)

"""A session from config to its end, as a client sees it (websocket.md 2 to 6, 12)."""

from typing import TYPE_CHECKING

import aiohttp
import pytest

from sayna_testing.speech import recognize

if TYPE_CHECKING:
    from tests.server.conftest import Bench


async def test_config_is_answered_with_ready(bench: "Bench") -> None:
    peer = await bench.connect()
    assert await peer.configure(stream_id="call-42") == {
        "type": "ready",
        "stream_id": "call-42",
        "livekit_url": "http://localhost:7880",
    }


async def test_speech_comes_in_frames_of_10_ms_and_ends_with_one_completion(bench: "Bench") -> None:
    peer = await bench.connect()
    await peer.configure()
    await peer.send({"type": "speak", "text": " How can I help? "})
    chunks, end = await peer.speech()
    assert {len(chunk) for chunk in chunks[:-1]} == {320}
    assert recognize(b"".join(chunks), sample_rate=16000) == "How can I help?"
    assert end["type"] == "tts_playback_complete"


async def test_speech_said_before_comes_as_one_frame_from_any_connection(bench: "Bench") -> None:
    first = await bench.connect()
    await first.configure()
    await first.send({"type": "speak", "text": "Hello"})
    chunks, _ = await first.speech()
    second = await bench.connect()
    await second.configure()
    await second.send({"type": "speak", "text": "Hello "})
    again, end = await second.speech()
    assert again == [b"".join(chunks)]
    assert end["type"] == "tts_playback_complete"


async def test_a_queue_of_speech_has_one_completion(bench: "Bench") -> None:
    peer = await bench.connect()
    await peer.configure()
    for text in ("One", "Two", "Three"):
        await peer.send({"type": "speak", "text": text})
    chunks, end = await peer.speech()
    assert recognize(b"".join(chunks), sample_rate=16000) == "One Two Three"
    assert end["type"] == "tts_playback_complete"
    await peer.silence()


async def test_clear_drops_queued_speech_without_a_word(bench: "Bench") -> None:
    peer = await bench.connect()
    await peer.configure()
    await peer.send({"type": "speak", "text": "One"})
    await peer.send({"type": "clear"})
    await peer.silence()


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("nonsense", "Invalid message format: expected ident at line 1 column 2"),
        ('{"type":"foo"}', "Invalid message format: unknown variant `foo`, expected one of"),
        ('{"type":"speak","text":"a"}', "Audio processing is disabled."),
        (b"\0\0", "Audio processing is disabled."),
        (
            '{"type":"send_message","message":"","role":""}',
            "LiveKit client not configured. Send config message with livekit configuration first.",
        ),
        ('{"type":"sip_transfer","transfer_to":"1"}', "Room name not available."),
        ('{"type":"sip_transfer","transfer_to":"+"}', "Invalid phone number: Phone number must"),
        ('{"type":"loading_start"}', "Send a config message first before using loading_start."),
    ],
)
async def test_fresh_socket_refuses_and_stays_open(
    bench: "Bench", frame: str | bytes, answer: str
) -> None:
    peer = await bench.connect()
    await peer.send(frame)
    assert (await peer.receive())["message"].startswith(answer)
    await peer.silence()


@pytest.mark.parametrize("kind", ["clear", "update_config", "loading_stop"])
async def test_fresh_socket_is_silent(bench: "Bench", kind: str) -> None:
    peer = await bench.connect()
    await peer.send({"type": kind})
    await peer.silence()


async def test_close_gets_no_echo(bench: "Bench") -> None:
    peer = await bench.connect()
    await peer.configure()
    assert await peer.socket.close(code=1000)
    assert peer.socket.close_code == 1006 or peer.socket.close_code == aiohttp.WSCloseCode.OK
    assert peer.connection.closed
    assert [entry.data for entry in bench.entries("close")] == [{"code": 1000}]

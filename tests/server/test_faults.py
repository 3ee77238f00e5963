"""Planned faults, met over HTTP and WebSocket by a plain aiohttp client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.faults import FAULTS, Faults

STT = {
    "provider": "deepgram",
    "language": "en",
    "sample_rate": 16000,
    "channels": 1,
    "punctuation": True,
    "encoding": "linear16",
    "model": "",
}
CONFIG = {
    "type": "config",
    "stream_id": "s",
    "stt_config": STT,
    "tts_config": {"provider": "deepgram", "model": "", "sample_rate": 16000},
}
READY = {"type": "ready", "stream_id": "s", "livekit_url": "http://localhost:7880"}
COMPLETE = "tts_playback_complete"
CLOSE_AT_ONCE = aiohttp.ClientWSTimeout(ws_close=0.1)


class Client:
    """A plain aiohttp client of one server."""

    def __init__(self, server: FakeSaynaServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.faults = server.faults
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._http = http

    async def get(self, path: str = "/") -> tuple[int, bytes]:
        async with self._http.get(f"{self.server.url}{path}") as answer:
            self.headers = answer.headers
            return answer.status, await answer.read()

    async def connect(self) -> None:
        self.socket = await self._http.ws_connect(
            self.server.ws_url, autoclose=False, max_msg_size=1 << 20, timeout=CLOSE_AT_ONCE
        )
        self.sockets.append(self.socket)

    async def configure(self) -> None:
        await self.connect()
        await self.send(CONFIG)

    async def send(self, frame: dict[str, Any] | bytes) -> None:
        if isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_str(json.dumps(frame))

    async def receive(self) -> Any:
        """The next frame: JSON, bytes, a close code, or the type of an end."""
        message = await self.socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.CLOSE):
            return message.data
        return message.type

    async def speech(self) -> tuple[int, Any]:
        """How much audio comes, and the frame behind it."""
        size = 0
        while isinstance(frame := await self.receive(), bytes):
            size += len(frame)
        return size, frame

    def met(self) -> list[str]:
        return [entry.data["at"] for entry in self.server.journal if entry.kind == "fault"]


@pytest.fixture(params=["memory", "tcp"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    with FakeSaynaServer(transport=request.param) as server:
        connector = server.connector() if request.param == "memory" else None
        async with aiohttp.ClientSession(connector=connector) as http:
            client = Client(server, http)
            yield client
            for socket in client.sockets:
                await socket.close()


async def test_status_comes_once_with_retry_after_and_then_the_truth(client: Client) -> None:
    with client.faults.http_status(503, path="/", retry_after=2, body='{"error":"busy"}'):
        assert await client.get("/voices/") == (404, b"")
        assert await client.get() == (503, b'{"error":"busy"}')
        assert (client.headers["retry-after"], client.headers["content-type"]) == (
            "2",
            "application/json",
        )
        assert await client.get() == (200, b'{"status":"OK"}')
    assert client.faults.unused == ()
    assert client.met() == ["/"]


async def test_bodies_are_halved_replaced_and_cut(client: Client) -> None:
    client.faults.http_malformed(path="/")
    assert await client.get() == (200, b'{"statu')
    client.faults.http_body("<html>", content_type="text/html")
    assert await client.get() == (200, b"<html>")
    client.faults.http_truncated()
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get()
    client.faults.http_reset(times=2)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await client.get()
    assert (await client.get())[0] == 200


async def test_request_is_answered_late(client: Client) -> None:
    client.faults.http_delay(0.05)
    start = asyncio.get_running_loop().time()
    assert (await client.get())[0] == 200
    assert asyncio.get_running_loop().time() - start >= 0.05


async def test_connection_is_refused_and_answered_with_a_status(client: Client) -> None:
    client.faults.connection_refused(times=2)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await client.connect()
    client.faults.http_status(429, path="/ws", retry_after=1)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.connect()
    assert refused.value.status == 429
    client.faults.connection_delayed(0.02)
    client.faults.http_malformed(path="/ws")
    await client.configure()
    assert await client.receive() == READY


async def test_ready_is_late_or_missing(client: Client) -> None:
    client.faults.ready_late(0.05)
    await client.configure()
    start = asyncio.get_running_loop().time()
    assert await client.receive() == READY
    assert asyncio.get_running_loop().time() - start > 0.03
    client.faults.ready_missing()
    await client.send(CONFIG)
    await client.send({"type": "send_message", "message": "", "role": ""})
    assert (await client.receive())["type"] == "error"


@pytest.mark.parametrize("code", [None, 1000, 1011, 4001])
async def test_server_closes_with_any_code_instead_of_a_frame(
    client: Client, code: int | None
) -> None:
    client.faults.closed(code, at="ready")
    await client.configure()
    assert await client.receive() == (code or 0)


async def test_server_closes_instead_of_handling_a_frame(client: Client) -> None:
    client.faults.on("closed", code=1001, at="speak")
    await client.configure()
    assert await client.receive() == READY
    await client.send({"type": "speak", "text": "Hello"})
    assert await client.receive() == 1001


@pytest.mark.parametrize("at", ["ready", "config", "frame cut"])
async def test_connection_is_reset_at_a_frame(client: Client, at: str) -> None:
    if at == "frame cut":
        client.faults.frame_truncated("ready")
    else:
        client.faults.reset(at=at)
    await client.configure()
    assert await client.receive() in (
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.ERROR,
        aiohttp.WSMsgType.CLOSING,
    )


async def test_frames_are_dropped_doubled_and_swapped(client: Client) -> None:
    await client.configure()
    assert await client.receive() == READY
    client.faults.frame_duplicated("error")
    client.faults.frame_dropped(">malformed")
    await client.send({"type": "nobody reads this"})
    await client.send({"type": "sip_transfer", "transfer_to": "1"})
    assert (await client.receive())["type"] == "sip_transfer_error"
    await client.send({"type": "?"})
    assert await client.receive() == await client.receive()
    client.faults.frames_swapped("error")
    await client.send({"type": "?"})
    await client.send({"type": "sip_transfer", "transfer_to": "1"})
    assert (await client.receive())["type"] == "sip_transfer_error"
    assert (await client.receive())["type"] == "error"
    client.faults.frame_dropped("speak")
    await client.send({"type": "speak", "text": "Lost"})
    await client.send({"type": "?"})
    assert (await client.receive())["type"] == "error"


async def test_oversize_frame_comes_before_a_frame(client: Client) -> None:
    client.faults.frame_oversize("ready", size=2 << 20)
    await client.configure()
    assert await client.receive() is aiohttp.WSMsgType.ERROR


async def test_audio_is_cut_and_completion_is_missing(client: Client) -> None:
    await client.configure()
    await client.receive()
    client.faults.audio_cut(after=3200)
    await client.send({"type": "speak", "text": "Hello there"})
    size, end = await client.speech()
    assert (size, end["type"]) == (3200, COMPLETE)
    client.faults.completion_missing()
    await client.send({"type": "speak", "text": "Goodbye"})
    await client.send({"type": "?"})
    assert (await client.receive())["type"] == "error"
    await client.send({"type": "speak", "text": ""})
    size = 0
    while size == 0:
        frame = await client.receive()
        size = len(frame)
    await asyncio.sleep(0.05)
    await client.send({"type": "?"})
    assert (await client.speech())[1]["type"] == "error"


async def test_stalled_frames_come_in_a_burst(client: Client) -> None:
    await client.configure()
    await client.receive()
    client.faults.frame_delayed("audio", 0.05)
    await client.send({"type": "speak", "text": "Hello"})
    start = asyncio.get_running_loop().time()
    assert (await client.speech())[1]["type"] == COMPLETE
    assert asyncio.get_running_loop().time() - start > 0.05


async def test_silence_answers_no_ping_and_ends_in_a_burst(client: Client) -> None:
    client.faults.silent(at="ready", seconds=0.1)
    client.faults.frame_delayed("clear", 0.01)
    await client.configure()
    await client.send({"type": "clear"})
    await client.send({"type": "?"})
    start = asyncio.get_running_loop().time()
    assert await client.receive() == READY
    assert asyncio.get_running_loop().time() - start > 0.08
    assert (await client.receive())["type"] == "error"
    client.faults.silent(at="speak", seconds=0.02)
    await client.send({"type": "speak", "text": "Hello"})
    assert (await client.speech())[1]["type"] == COMPLETE


async def test_endless_silence_ends_with_the_client(client: Client) -> None:
    client.faults.silent(at="speak")
    await client.configure()
    await client.receive()
    await client.send({"type": "speak", "text": "Hello"})
    await client.socket.ping()
    with pytest.raises(asyncio.TimeoutError):
        await client.socket.receive(timeout=0.05)
    await client.socket.close()
    await client.server.sessions[-1].wait_for_close()


async def test_recogniser_refuses_fails_and_speech_fails(client: Client) -> None:
    client.faults.recogniser_refuses(provider="deepgram")
    await client.configure()
    assert (await client.receive())["message"].endswith("Connection channel closed")
    client.faults.recogniser_fails("Provider error: Error: no", at=">audio", nth=2)
    client.faults.recogniser_fails("Provider error: Error: too early", at="config")
    client.faults.recogniser_fails("Network error: gone", at=COMPLETE)
    await client.send(CONFIG)
    assert await client.receive() == READY
    await client.send(bytes(640))
    await client.send(bytes(640))
    assert await client.receive() == {
        "type": "error",
        "message": "STT streaming error: Provider error: Error: no",
    }
    assert (await client.receive())["message"].startswith("Failed to process audio: STT error:")
    client.faults.speech_fails("Network error: Request failed: x")
    await client.send({"type": "speak", "text": "Hello"})
    assert await client.receive() == {
        "type": "error",
        "message": "TTS error: Network error: Request failed: x",
    }
    client.faults.speech_fails("Audio generation failed: Failed to read audio: x", after=3300)
    assert (await client.receive())["type"] == COMPLETE
    assert (await client.receive())["message"] == "STT streaming error: Network error: gone"
    await client.send({"type": "speak", "text": "Hello"})
    size, error = await client.speech()
    assert (size, error["message"][:9]) == (3200, "TTS error")
    assert client.faults.unused == ()


async def test_fault_hits_only_its_session(client: Client) -> None:
    client.faults.ready_missing(session="ws-2", times=None)
    await client.configure()
    assert await client.receive() == READY


def test_unused_faults_are_named() -> None:
    faults = Faults()
    with faults.closed(1011, at="ready"):
        pass
    faults.speech_fails("x", times=2)
    faults.http_delay(1, times=None)
    faults.speech("ws-1")
    assert faults.unused == (
        "Closed(code=1011) on frame < ready, met 0 of 1 times",
        "SpeechFails(text='x', after=0) on speech, met 1 of 2 times",
        "Delay(seconds=1) on http, met 0 times",
    )
    faults.http("GET", "/")
    assert len(faults.unused) == 2
    faults.clear()
    assert faults.unused == ()
    assert faults.quiet


def test_block_takes_its_fault_back() -> None:
    faults = Faults()
    with faults.speech_fails("x") as fault:
        assert len(faults.speech("ws-1")) == 1
    assert (fault.hits, faults.unused) == (1, ())
    faults.take_back(fault)


@given(st.integers(0, 2**32))
def test_chances_are_the_same_for_the_same_seed(seed: int) -> None:
    def run() -> list[int]:
        faults = Faults(seed)
        faults.frame_dropped("audio", times=None, chance=0.5)
        return [len(faults.frame("ws-1", "<", "audio")) for _ in range(20)]

    assert run() == run()


@pytest.mark.parametrize(
    ("name", "parameters", "error"),
    [
        ("nonsense", {}, "fault: expected one of audio_cut, closed,"),
        ("http_status", {"status": 200}, "status: expected 400 to 599, got 200"),
        ("http_delay", {"seconds": -1}, "seconds: expected 0 or more, got -1"),
        ("closed", {"code": 7}, "code: expected 1000 to 4999 or None, got 7"),
        ("closed", {"nth": 0}, "nth: expected 1 or more, got 0"),
        ("closed", {"chance": 0}, "chance: expected above 0 and at most 1, got 0"),
        ("frame_duplicated", {"frame": "speak"}, "frame: expected one that the server sends"),
    ],
)
def test_impossible_faults_are_refused(name: str, parameters: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Faults().on(name, **parameters)


def test_every_fault_has_a_name() -> None:
    methods = {name for name in vars(Faults) if not name.startswith("_")}
    others = {
        "clear",
        "frame",
        "http",
        "link",
        "on",
        "quiet",
        "sound",
        "speech",
        "take_back",
        "unused",
    }
    assert methods - others == FAULTS

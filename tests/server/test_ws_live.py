"""Live sessions under anything a client may send, in great number, and with real sound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.speech import synthesize
from tests.frames import CONFIG

LIVEKIT = {**CONFIG, "livekit": {"room_name": "r1"}}
KEYS = {
    "ready": {
        "stream_id",
        "livekit_room_name",
        "livekit_url",
        "sayna_participant_identity",
        "sayna_participant_name",
    },
    "stt_result": {"transcript", "is_final", "is_speech_final", "confidence"},
    "message": {"message"},
    "participant_connected": {"participant"},
    "participant_disconnected": {"participant"},
    "track_subscribed": {"track"},
    "tts_playback_complete": {"timestamp"},
    "error": {"message"},
    "sip_transfer_error": {"message"},
}
"""The keys of every frame that the real server sends (websocket.md 5)."""


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with virtual_time(), FakeSaynaServer() as server:
        yield server


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FRAMES = st.one_of(
    st.sampled_from(
        [
            json.dumps(CONFIG),
            json.dumps(LIVEKIT),
            json.dumps({"type": "config", "audio": False}),
            json.dumps({"type": "config", "audio": False, "livekit": {"room_name": "r2"}}),
            '{"type":"speak","text":"Hi"}',
            '{"type":"speak","text":"","allow_interruption":false}',
            '{"type":"clear"}',
            '{"type":"send_message","message":"m","role":"r"}',
            '{"type":"sip_transfer","transfer_to":"+44"}',
            '{"type":"update_config","vad":{"silence_duration_ms":400}}',
            '{"type":"loading_start"}',
            '{"type":"loading_stop"}',
            "*join",
            "*leave",
            "*data",
        ]
    ),
    st.binary(max_size=700),
    st.text(max_size=40).filter(lambda text: not text.startswith("*")),
    st.builds(
        lambda kind, rest: json.dumps({"type": kind, **rest}),
        st.sampled_from(["config", "speak", "clear", "send_message", "update_config", "what"]),
        st.dictionaries(
            st.sampled_from(["text", "flush", "audio", "livekit", "stt_config", "vad", "x"]), VALUES
        ),
    ),
)


def in_room(server: FakeSaynaServer, act: str) -> None:
    """What somebody else does in the room of the session, if there is one."""
    if server.rooms.get("r1") is None:
        return
    guest = server.join("r1", "guest")
    if act == "*leave":
        guest.room.leave("guest")
    elif act == "*data":
        guest.room.send_data("guest", b"\xff", None)


async def send_all(
    server: FakeSaynaServer, ws: aiohttp.ClientWebSocketResponse, frames: list[str | bytes]
) -> None:
    for frame in frames:
        if isinstance(frame, bytes):
            await ws.send_bytes(frame)
        elif frame.startswith("*"):
            await asyncio.sleep(0.01)
            in_room(server, frame)
        else:
            await ws.send_str(frame)
    await ws.send_str("the end")  # malformed, so it is answered, unless a leave closed it


async def talk(server: FakeSaynaServer, frames: list[str | bytes]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    async with (
        aiohttp.ClientSession(connector=server.connector()) as http,
        http.ws_connect(server.ws_url) as ws,
    ):
        await send_all(server, ws, frames)
        async for message in ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                answers.append(json.loads(message.data))
                if "expected ident" in answers[-1].get("message", ""):
                    break
    await asyncio.sleep(10)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if not task.done()]
    return answers


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAMES, max_size=8))
def test_whatever_a_client_sends_is_answered_in_the_known_shapes(frames: list[str | bytes]) -> None:
    with virtual_time(), FakeSaynaServer() as server:
        answers = asyncio.run(talk(server, frames))
        assert server.sessions[0].closed
        room = server.sessions[0].room
        assert room is None or room.deleted  # only the latest is cleaned up (websocket.md 4.2.7)
    for answer in answers:
        kind = answer.pop("type")
        assert set(answer) <= KEYS[kind], answer
        assert None not in answer.values()


def test_a_thousand_sessions_at_once_are_configured_spoken_to_and_closed(
    server: FakeSaynaServer,
) -> None:
    ready, spoken = asyncio.Event(), []

    async def one(number: int) -> None:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_json(CONFIG)
            assert (await ws.receive_json())["type"] == "ready"
            if len([s for s in server.sessions if not s.closed]) == 1000:
                ready.set()
            await ready.wait()
            await ws.send_json({"type": "speak", "text": f"Hello number {number}."})
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    spoken.append(json.loads(message.data)["type"])
                    break

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(1000)))
        await asyncio.sleep(1)

    asyncio.run(all_of_them())
    assert spoken == ["tts_playback_complete"] * 1000
    assert len(server.sessions) == 1000
    assert all(session.closed for session in server.sessions)


@pytest.mark.parametrize("frame", [320, 333, 1, 16000])
def test_speech_on_the_microphone_becomes_interims_then_a_final(
    server: FakeSaynaServer, frame: int
) -> None:
    sound = synthesize("A table for two", 16000) + bytes(9600)

    async def stream() -> list[tuple[float, dict[str, Any]]]:
        loop = asyncio.get_running_loop()
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_json(CONFIG)
            await ws.receive_json()
            start = loop.time()

            async def send() -> None:
                sent = 0
                size = frame if frame > 100 else 100 * frame + 1
                for first in range(0, len(sound), size):
                    sent += len(sound[first : first + size])
                    await ws.send_bytes(sound[first : first + size])
                    await asyncio.sleep(max(start + sent / 32000 - loop.time(), 0))

            sender = asyncio.create_task(send())
            results: list[tuple[float, dict[str, Any]]] = []
            while not results or not results[-1][1]["is_final"]:
                results.append((loop.time() - start, await ws.receive_json()))
            await sender
            return results

    results = asyncio.run(stream())
    texts = [frame["transcript"] for _, frame in results]
    assert texts[-1] == "A table for two"
    if frame < 16000:
        assert texts[:-1] == ["A", "A table", "A table for"]
    assert results[-1][1]["is_speech_final"]


def test_a_stream_that_stops_ends_the_utterance_after_a_second(server: FakeSaynaServer) -> None:
    sound = synthesize("A table for two", 16000)

    async def stream() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_json(CONFIG)
            await ws.receive_json()
            await ws.send_bytes(sound[: len(sound) * 3 // 4])
            start = loop.time()
            while not (result := await ws.receive_json())["is_final"]:
                pass
            return result["transcript"], loop.time() - start

    text, took = asyncio.run(stream())
    assert "A table for two".startswith(text)
    assert len(text) > 6
    assert took == pytest.approx(1.0, abs=0.05)


def test_sound_in_a_room_is_heard_of_those_who_are_listened_to(server: FakeSaynaServer) -> None:
    config = {**CONFIG, "livekit": {"room_name": "r1", "listen_participants": ["ann"]}}

    async def listen() -> list[str]:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_json(config)
            await ws.receive_json()
            for identity, words in (("bob", "not me"), ("ann", "hear me")):
                guest = server.join("r1", identity)
                guest.room.speak_audio(identity, synthesize(words, 16000) + bytes(16000), 16000)
            finals: list[str] = []
            while not finals:
                frame = await ws.receive_json()
                if frame["type"] == "stt_result" and frame["is_final"]:
                    finals.append(frame["transcript"])
            return finals

    assert asyncio.run(listen()) == ["hear me"]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"config","stt_config":{"auth":{"api_key":"SECRET-1"}}',
        '{"type":"config", "auth" : {"credentials":"SECRET-1"',
        '{"credentials":{"key":"SECRET-1"}',
        '{"auth":["a", {"b":{}}, "SECRET-1"',
        "{'api_key': 'SECRET-1'",
        '{"api_key":"SECRET-1',
        '{"password":12,"token":"a\\"SECRET-1"} x',
    ],
)
def test_a_secret_in_a_broken_frame_stays_out_of_the_journal(
    server: FakeSaynaServer, text: str
) -> None:
    async def send() -> None:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_str(text)
            await ws.receive_json()

    asyncio.run(send())
    (entry,) = [entry for entry in server.journal if entry.kind == "malformed"]
    assert "SECRET-1" not in repr(entry)
    assert "***" in entry.data["text"]

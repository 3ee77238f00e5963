"""The fake server as a whole: where it is, who reaches it, what it tells and does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import pytest
import websockets
from aiohttp import web
from aiohttp.test_utils import TestServer

from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.rest import Request, Response
from sayna_testing.server.rest.messages import json_response
from sayna_testing.server.session import Session
from tests.frames import CONFIG


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with FakeSaynaServer() as server:
        yield server


@asynccontextmanager
async def agent(server: FakeSaynaServer) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A bare WebSocket client over the in-memory transport, configured and ready."""
    async with (
        aiohttp.ClientSession(connector=server.connector()) as http,
        http.ws_connect(server.ws_url) as ws,
    ):
        await ws.send_json(CONFIG)
        assert (await ws.receive_json())["type"] == "ready"
        yield ws


async def text_frames(ws: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while len(frames) < count:
        message = await ws.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.TEXT:
            frames.append(json.loads(message.data))
    return frames


def test_a_plain_http_client_reaches_the_url_over_a_socket(server: FakeSaynaServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while block := raw.recv(4096):
            answer += block
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"erver:" not in head
    assert body == b'{"status":"OK"}'
    assert [(e.data["method"], e.data["path"], e.data["status"]) for e in server.requests] == [
        ("GET", "/", 200)
    ]


async def test_a_client_of_another_library_talks_to_the_url(server: FakeSaynaServer) -> None:
    async with websockets.connect(server.ws_url, compression=None) as ws:
        await ws.send(json.dumps(CONFIG))
        assert json.loads(await ws.recv())["type"] == "ready"
        session = await server.wait_for_session()
        await ws.send('{"type":"speak","text":"Hello there"}')
        assert await session.wait_for_speech() == "Hello there"


async def test_speech_a_test_asks_for_is_found_even_when_it_came_early(
    server: FakeSaynaServer,
) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        await ws.send_json({"type": "speak", "text": "Hello! How can I help?"})
        await ws.send_json({"type": "speak", "text": "Are you there?"})
        await text_frames(ws, 1)
        assert await session.wait_for_speech() == "Hello! How can I help?"
        assert await session.wait_for_speech(contains="THERE") == "Are you there?"


async def test_speech_that_does_not_come_is_told_with_the_nearest_and_the_timeline(
    server: FakeSaynaServer,
) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        await ws.send_json({"type": "speak", "text": "For what time?"})
        await text_frames(ws, 1)
        with pytest.raises(ExpectationError) as caught:
            await session.wait_for_speech(contains="how many", timeout=0.01)
    lines = str(caught.value).splitlines()
    assert lines[0] == 'expected: speak containing "how many" within 0.01 s'
    assert 'speak     "For what time?"' in lines[1]
    assert lines[1].endswith('no "how many" in it')
    assert any(line.startswith(" >>>") and "For what time?" in line for line in lines)


async def test_a_transcript_arrives_as_interims_and_a_final(server: FakeSaynaServer) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        delivered = await session.transcribe("a table for two")
        frames = await text_frames(ws, 5)
    assert [f["transcript"] for f in frames] == [
        "a",
        "a table",
        "a table for",
        "a table for two",
        "a table for two",
    ]
    assert [f["is_final"] for f in frames] == [False] * 4 + [True]
    assert delivered
    assert str(delivered) == "a table for two"
    assert delivered.dropped == ()


async def test_what_protected_speech_swallows_is_told(server: FakeSaynaServer) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        await ws.send_json({"type": "speak", "text": "Please listen.", "allow_interruption": False})
        await text_frames(ws, 1)
        delivered = await session.transcribe("wait")
    assert not delivered
    assert str(delivered) == ""
    assert len(delivered.dropped) == 2
    assert [e.dropped for e in session.entries if e.dropped] == list(delivered.dropped)


async def test_a_session_in_another_threads_loop_is_driven_from_the_test(
    server: FakeSaynaServer,
) -> None:
    heard: list[str] = []

    async def other() -> None:
        async with agent(server) as ws:
            for frame in await text_frames(ws, 2):
                heard.append(frame["transcript"])
            await ws.send_json({"type": "speak", "text": "I heard you"})
            await text_frames(ws, 1)

    thread = threading.Thread(target=asyncio.run, args=(other(),))
    thread.start()
    session = await server.wait_for_session()
    assert session.loop is not asyncio.get_running_loop()
    await session.transcribe("hello")
    assert await session.wait_for_speech() == "I heard you"
    await asyncio.to_thread(thread.join)
    assert heard == ["hello", "hello"]


def test_code_that_cannot_await_runs_waits_and_acts(server: FakeSaynaServer) -> None:
    heard: list[str] = []

    async def other() -> None:
        async with agent(server) as ws:
            for frame in await text_frames(ws, 2):
                heard.append(frame["transcript"])

    thread = threading.Thread(target=asyncio.run, args=(other(),))
    thread.start()
    session = server.run(server.wait_for_session())
    server.run(session.transcribe("hello"))
    thread.join()
    assert heard == ["hello", "hello"]
    assert server.run(session.wait_for_close()).kind == "close"
    assert session.closed


async def test_run_refuses_where_one_can_await(server: FakeSaynaServer) -> None:
    with pytest.raises(RuntimeError, match="an event loop is running"):
        server.run(server.wait_for_session())


def test_an_act_that_fails_raises_where_it_was_asked_for(server: FakeSaynaServer) -> None:
    with pytest.raises(ExpectationError, match=r"a ready session within 0\.01 s"):
        server.run(server.wait_for_session(timeout=0.01))
    with pytest.raises(TimeoutError):
        server.run(server.wait_for_session(timeout=60), timeout=0.01)


async def test_sessions_are_handed_out_once_in_order(server: FakeSaynaServer) -> None:
    async with agent(server), agent(server):
        first = await server.wait_for_session()
        second = await server.wait_for_session()
    assert [first.key, second.key] == ["ws-1", "ws-2"]
    assert server.sessions == (first, second)
    assert first.config["stt_config"]["provider"] == "deepgram"


async def test_the_test_pushes_frames_errors_and_the_end(server: FakeSaynaServer) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        await session.push({"type": "vad_event", "event": "turn_end", "timestamp_ms": 1})
        await session.send_error("TTS error: Provider error: quota")
        await session.push_raw(b"\x01\x02")
        await session.push_raw("not json")
        await session.close(1011)
        assert await ws.receive_json() == {
            "type": "vad_event",
            "event": "turn_end",
            "timestamp_ms": 1,
        }
        assert (await ws.receive_json())["message"] == "TTS error: Provider error: quota"
        assert await ws.receive_bytes() == b"\x01\x02"
        assert await ws.receive_str() == "not json"
        closing = await ws.receive()
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1011)
    await session.wait_for_close()
    assert repr(session) == "<Session ws-1 closed>"


async def test_a_dropped_session_ends_without_a_close_frame(server: FakeSaynaServer) -> None:
    async with agent(server) as ws:
        session = await server.wait_for_session()
        await session.drop()
        message = await ws.receive(timeout=5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    await session.wait_for_close()


async def test_a_session_without_a_config_says_so(server: FakeSaynaServer) -> None:
    async with (
        aiohttp.ClientSession(connector=server.connector()) as http,
        http.ws_connect(server.ws_url),
    ):
        (session,) = server.sessions
        with pytest.raises(LookupError, match="ws-1 has sent no config yet"):
            _ = session.config


async def test_a_server_by_tcp_only_is_reached_by_socket() -> None:
    with FakeSaynaServer(transport="tcp") as server:
        async with aiohttp.ClientSession() as http, http.get(server.url) as answer:
            assert await answer.json() == {"status": "OK"}


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(ValueError, match='expected "memory" or "tcp", got "carrier pigeon"'):
        FakeSaynaServer(transport="carrier pigeon")  # type: ignore[arg-type]


def test_a_server_that_is_not_running_has_no_address() -> None:
    server = FakeSaynaServer()
    with pytest.raises(RuntimeError, match="the server is not running"):
        _ = server.url
    assert repr(server) == "<FakeSaynaServer (no address asked for yet)>"


def test_a_running_server_is_not_started_twice(server: FakeSaynaServer) -> None:
    with pytest.raises(RuntimeError, match="running already"):
        server.__enter__()


def test_a_closed_server_frees_its_port_and_closes_twice() -> None:
    with FakeSaynaServer() as server:
        host, port = server.url.removeprefix("http://").split(":")
        assert server.url in repr(server)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


async def test_a_session_left_open_is_ended_with_the_server() -> None:
    with FakeSaynaServer() as server:
        http = aiohttp.ClientSession(connector=server.connector())
        ws = await http.ws_connect(server.ws_url)
        session: Session = server.sessions[0]
    message = await ws.receive(timeout=5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    await http.close()
    assert session.key == "ws-1"


async def test_what_the_server_knows_can_be_looked_into(server: FakeSaynaServer) -> None:
    async with aiohttp.ClientSession(connector=server.connector()) as http:
        hook = {"host": "Acme.Example", "url": "https://hooks.example", "auth_id": ""}
        await http.post(f"{server.url}/sip/hooks", json={"hooks": [hook]})
        server.voices = {"deepgram": []}
        async with http.get(f"{server.url}/voices") as answer:
            assert await answer.json() == {"deepgram": []}
    assert [hook.host for hook in server.hooks] == ["acme.example"]
    assert server.voices == {"deepgram": []}
    server.rooms.create("r1")
    assert server.livekit.list_rooms() == server.rooms.all()
    assert server.recordings.get("none") is None
    assert [e.kind for e in server.journal if e.data.get("room") == "r1"] == ["room_created"]


async def test_reset_cuts_sessions_and_forgets_everything_but_the_address(
    server: FakeSaynaServer,
) -> None:
    url = server.url
    async with agent(server) as ws:
        server.rooms.create("room-1")
        server.reset()
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED
    assert (server.url, server.sessions, server.rooms.all()) == (url, (), [])
    assert len(server.journal) == 0
    async with agent(server):
        await server.wait_for_session()
        server.rooms.create("room-2")
        assert [entry.kind for entry in server.journal][-1] == "room_created"


def test_reset_after_the_loop_of_a_session_ended_is_harmless(server: FakeSaynaServer) -> None:
    async def come_and_go() -> None:
        async with agent(server):
            pass

    asyncio.run(come_and_go())
    server.reset()
    assert server.sessions == ()


async def test_a_server_can_listen_in_the_running_loop_on_a_port_of_choice() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with FakeSaynaServer() as server:
        await server.listen(port)
        assert server.url == f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as http, http.get(f"{server.url}/voices") as answer:
            assert answer.status == 200
        with pytest.raises(RuntimeError, match="listens already"):
            await server.listen()


async def test_a_port_that_is_taken_is_an_error_of_listen(server: FakeSaynaServer) -> None:
    taken = int(server.url.rpartition(":")[2])
    with FakeSaynaServer() as other, pytest.raises(OSError, match="in use"):
        await other.listen(taken)


async def test_a_door_answers_before_the_rules_and_leaves_no_trace() -> None:
    async def door(request: Request) -> Response | None:
        return json_response("mine") if request.raw_path == "/mine" else None

    with FakeSaynaServer() as server:
        await server.listen(door=door)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{server.url}/mine") as answer:
                assert await answer.json() == "mine"
            async with http.get(f"{server.url}/theirs") as answer:
                assert answer.status == 404
    assert [entry.data["path"] for entry in server.requests] == ["/theirs"]


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_webhook_sent_for_livekit_is_in_the_journal(
    server: FakeSaynaServer, reachable: bool
) -> None:
    """LiveKit tells of a caller, Sayna posts to the hook (rest.md 15)."""
    seen: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append(request.headers["x-sayna-event-id"])
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/sayna", receive)
    receiver = TestServer(app)
    await receiver.start_server()
    url = str(receiver.make_url("/sayna"))
    if not reachable:
        await receiver.close()
    event = {
        "event": "participant_joined",
        "id": "EV_1",
        "room": {"name": "sip-1"},
        "participant": {
            "identity": "sip_1",
            "attributes": {
                "sip.h.to": "<sip:1@acme.example>",
                "sip.phoneNumber": "+447700900123",
                "sip.trunkPhoneNumber": "+442079460000",
            },
        },
    }
    body = json.dumps(event).encode()
    livekit = server.settings.livekit
    assert livekit is not None
    token = jwt.encode(
        {
            "iss": livekit.api_key,
            "exp": 4102444800,
            "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
        },
        livekit.api_secret,
        algorithm="HS256",
    )
    async with aiohttp.ClientSession(connector=server.connector()) as http:
        hook = {"host": "acme.example", "url": url, "auth_id": ""}
        await http.post(f"{server.url}/sip/hooks", json={"hooks": [hook]})
        headers = {"Authorization": token}
        async with http.post(f"{server.url}/livekit/webhook", data=body, headers=headers) as answer:
            assert answer.status == 200
    entry = await asyncio.wrap_future(server.journal.first(lambda e: e.kind == "webhook"))
    assert entry.data["event_id"] == "EV_1"
    assert entry.data["from_phone_number"] == "+447700900123"
    assert entry.error is not reachable
    assert entry.data.get("status") == (204 if reachable else None)
    assert seen == (["EV_1"] if reachable else [])
    if reachable:
        await receiver.close()

"""The admin door: what may be asked of a served fake, by whom, and how it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sayna_testing.cli.admin import Admin
from sayna_testing.cli.director import Director
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.webhooks import WEBHOOK_SECRET, explain
from tests.frames import STT, TTS

CONFIG = {
    "type": "config",
    "stt_config": {**STT, "auth": {"api_key": "dg-secret"}},
    "tts_config": TTS,
}


class Doors:
    """A served fake and a client that knows its token."""

    def __init__(self, server: FakeSaynaServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def ask(
        self, method: str, name: str, token: str = "t0k3n", **how: Any
    ) -> tuple[int, Any]:
        url = f"{self.server.url}/__sayna__/{name}"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.request(method, url, headers=headers, **how) as answer:
            return answer.status, await answer.json()

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(self.server.ws_url) as ws:
            await ws.send_json(CONFIG)
            assert (await ws.receive_json())["type"] == "ready"
            yield ws


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    with FakeSaynaServer() as server:
        await server.listen(door=Admin(server, "t0k3n", Director(server, print)).answer)
        async with aiohttp.ClientSession() as http:
            yield Doors(server, http)


async def test_state_tells_sessions_rooms_and_hooks_without_secrets(doors: Doors) -> None:
    doors.server.rooms.create("room-1")
    async with doors.agent():
        status, state = await doors.ask("GET", "state")
        assert state["journal"] == len(doors.server.journal)
    assert status == 200
    assert state["rooms"] == [{"name": "room-1", "participants": []}]
    assert state["hooks"] == []
    (session,) = state["sessions"]
    assert (session["key"], session["open"]) == ("ws-1", True)
    assert session["config"]["stt_config"]["auth"] == {"api_key": "***"}


async def test_a_session_that_sent_no_config_has_none(doors: Doors) -> None:
    async with doors.http.ws_connect(doors.server.ws_url):
        assert (await doors.ask("GET", "state"))[1]["sessions"][0]["config"] is None


async def test_the_journal_is_told_from_any_entry_on(doors: Doors) -> None:
    async with doors.agent():
        status, entries = await doors.ask("GET", "journal?since=1")
    assert status == 200
    assert [entry["kind"] for entry in entries] == ["config", "ready"]
    assert await doors.ask("GET", "journal?since=-1") == (
        400,
        {"error": 'since: expected the number of an entry, got "-1"'},
    )


async def test_what_is_asked_of_the_door_is_not_in_the_journal(doors: Doors) -> None:
    await doors.ask("GET", "state")
    assert await doors.ask("GET", "journal") == (200, [])


@pytest.mark.parametrize("token", ["", "wrong", "t0k3", "t0k3nn"])
async def test_without_the_token_nothing_is_told(doors: Doors, token: str) -> None:
    assert await doors.ask("GET", "state", token=token) == (
        401,
        {"error": "expected the token of the ready line: Authorization: Bearer TOKEN"},
    )


async def test_a_browser_may_give_the_token_in_the_address(doors: Doors) -> None:
    async with doors.http.get(f"{doors.server.url}/__sayna__/report?token=t0k3n") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "No calls were recorded." in await answer.text()


async def test_an_unknown_door_names_the_doors_there_are(doors: Doors) -> None:
    status, answer = await doors.ask("POST", "state")
    assert status == 404
    assert answer["error"].startswith("expected one of GET /__sayna__/state, ")


async def test_reset_begins_again(doors: Doors) -> None:
    async with doors.agent() as ws:
        assert await doors.ask("POST", "reset") == (200, {})
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSED
    assert (await doors.ask("GET", "state"))[1]["sessions"] == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"fault": "error", "text": "boom"}, {"type": "error", "message": "boom"}),
        (
            {"fault": "recognition", "text": "Network error: gone"},
            {"type": "error", "message": "STT streaming error: Network error: gone"},
        ),
    ],
)
async def test_a_fault_reaches_the_newest_session(doors: Doors, fault: Any, told: Any) -> None:
    async with doors.agent(), doors.agent() as newest:
        assert await doors.ask("POST", "faults", json=fault) == (200, {"session": "ws-2"})
        assert await newest.receive_json(timeout=5) == told


async def test_speech_can_be_made_to_fail(doors: Doors) -> None:
    async with doors.agent() as ws:
        await doors.ask("POST", "faults", json={"fault": "speech", "text": "Network error: x"})
        await ws.send_json({"type": "speak", "text": "hello"})
        assert await ws.receive_json(timeout=5) == {
            "type": "error",
            "message": "TTS error: Network error: x",
        }


@pytest.mark.parametrize(
    ("fault", "kind"), [("close", aiohttp.WSMsgType.CLOSE), ("drop", aiohttp.WSMsgType.CLOSED)]
)
async def test_a_named_session_can_be_ended(doors: Doors, fault: str, kind: Any) -> None:
    async with doors.agent() as first, doors.agent():
        await doors.ask("POST", "faults", json={"fault": fault, "session": "ws-1"})
        assert (await first.receive(timeout=5)).type in (kind, aiohttp.WSMsgType.CLOSED)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"{", 400, "expected a JSON object: Expecting property name"),
        (b"[]", 400, "expected a JSON object, got list"),
        (b"", 400, "fault: expected one of drop, close, error, recognition, speech, audio_cut, "),
        (b'{"fault":"http_status"}', 400, "fault http_status: "),
        (b'{"fault":"http_status","status":200}', 400, "fault http_status: status: expected 400"),
        (b'{"fault":"drop"}', 404, "session: expected an open one (none), got None"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused(
    doors: Doors, body: bytes, status: int, error: str
) -> None:
    got, answer = await doors.ask("POST", "faults", data=body)
    assert got == status
    assert answer["error"].startswith(error)


async def test_a_fault_can_be_planned_by_name_and_keywords(doors: Doors) -> None:
    wanted = {"fault": "http_status", "status": 503, "path": "/voices"}
    status, answer = await doors.ask("POST", "faults", json=wanted)
    assert (status, list(answer)) == (200, ["planned"])
    for expected in (503, 200):
        async with doors.http.get(f"{doors.server.url}/voices") as response:
            assert response.status == expected


async def test_a_fault_for_an_unknown_session_names_the_open_ones(doors: Doors) -> None:
    async with doors.agent():
        wanted = {"fault": "drop", "session": "ws-9"}
        assert await doors.ask("POST", "faults", json=wanted) == (
            404,
            {"error": "session: expected an open one (ws-1), got 'ws-9'"},
        )


async def test_a_webhook_is_posted_signed(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAYNA_WEBHOOK_SECRET", raising=False)
    verified: list[str] = []

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        verified.append(explain(request.headers, body, WEBHOOK_SECRET).cause)
        return web.json_response({"from": (await request.json())["from_phone_number"]}, status=201)

    app = web.Application()
    app.router.add_post("/sayna", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/sayna"
    status, answer = await doors.ask("POST", "webhook", json={"url": url, "from": "+447700900123"})
    await runner.cleanup()
    assert (status, answer) == (200, {"status": 201, "body": '{"from": "+447700900123"}'})
    assert verified == ["nothing"]


@pytest.mark.parametrize(
    ("wanted", "status", "error"),
    [
        ({}, 400, "url: expected the address to post to, got None"),
        ({"url": "http://127.0.0.1:1/", "colour": "red"}, 400, "got an unexpected keyword"),
        (
            {"url": "http://127.0.0.1:1/", "from": 5},
            400,
            "from_phone_number must be a str, got int",
        ),
        ({"url": "http://127.0.0.1:1/"}, 502, "127.0.0.1"),
    ],
)
async def test_a_webhook_that_cannot_be_sent_is_refused(
    doors: Doors, wanted: Any, status: int, error: str
) -> None:
    got, answer = await doors.ask("POST", "webhook", json=wanted)
    assert got == status
    assert error in answer["error"]


async def test_the_report_shows_a_call_for_each_session(doors: Doors) -> None:
    async with doors.agent(), doors.agent():
        pass
    async with doors.http.get(f"{doors.server.url}/voices") as answer:
        assert answer.status == 200
    async with doors.http.get(f"{doors.server.url}/__sayna__/report?token=t0k3n") as answer:
        page = await answer.text()
    streams = [e.data["stream_id"] for e in doors.server.journal if e.kind == "ready"]
    assert all(f">ws-{n} {stream}</a>" in page for n, stream in enumerate(streams, 1))
    assert ">outside of sessions</a>" in page

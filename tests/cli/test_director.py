"""Scripts on a served fake: played in each session as it gets ready, or sent through the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from sayna_testing.cli.admin import Admin
from sayna_testing.cli.director import Director
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import Script, loads
from tests.frames import CONFIG

TOKEN = {"Authorization": "Bearer t0k3n"}
GREETS = """
name = "greets"
[[turn]]
agent = { contains = "hello", within = "200ms", partial = true }
"""


def greets(name: str) -> Script:
    return loads(GREETS.replace("greets", name))


class Doors:
    def __init__(self, server: FakeSaynaServer, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http
        self.said: list[str] = []
        self.director = Director(server, self.said.append)

    @asynccontextmanager
    async def agent(self, text: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(self.server.ws_url) as ws:
            await ws.send_json(CONFIG)
            await ws.receive_json()
            await ws.send_json({"type": "speak", "text": text})
            yield ws

    async def play(self, script: str) -> tuple[int, Any]:
        url = f"{self.server.url}/__sayna__/script"
        async with self.http.post(url, data=script, headers=TOKEN) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    with FakeSaynaServer() as server:
        async with aiohttp.ClientSession() as http:
            doors = Doors(server, http)
            await server.listen(door=Admin(server, "t0k3n", doors.director).answer)
            yield doors


async def test_each_session_is_played_the_next_script(doors: Doors) -> None:
    playing = asyncio.create_task(doors.director.play_all([greets("one"), greets("two")]))
    for _ in range(3):
        told = len(doors.said)
        async with doors.agent("hello"):
            while len(doors.said) == told:  # noqa: ASYNC110 - what is said is a list
                await asyncio.sleep(0.01)
    assert doors.said == ["one: passed", "two: passed", "one: passed"]
    playing.cancel()
    url = f"{doors.server.url}/__sayna__/report"
    async with doors.http.get(url, headers=TOKEN) as answer:
        page = await answer.text()
    assert (page.count(">one</a>"), page.count(">two</a>")) == (2, 1)


async def test_a_script_can_be_sent_and_its_end_is_the_answer(doors: Doors) -> None:
    async with doors.agent("hello"):
        assert await doors.play(GREETS) == (
            200,
            {
                "status": "passed",
                "reason": "",
                "turns": [{"turn": 'turn 1: containing "hello"', "status": "passed"}],
            },
        )


async def test_a_script_that_fails_says_why(doors: Doors) -> None:
    async with doors.agent("good day"):
        status, outcome = await doors.play(GREETS)
    assert (status, outcome["status"]) == (200, "failed")
    assert 'no "hello" in it' in outcome["reason"]


async def test_what_is_no_script_is_refused(doors: Doors) -> None:
    status, answer = await doors.play("name = 5")
    assert status == 400
    assert answer["error"].startswith("<script>:1: name:")


async def test_reset_forgets_what_was_played(doors: Doors) -> None:
    async with doors.agent("hello"):
        await doors.play(GREETS)
    async with doors.http.post(f"{doors.server.url}/__sayna__/reset", headers=TOKEN):
        pass
    async with doors.http.get(f"{doors.server.url}/__sayna__/report", headers=TOKEN) as answer:
        assert "No calls were recorded." in await answer.text()

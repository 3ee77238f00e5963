"""The dashboard against a fake Sayna: no network, no waiting, every trouble on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from freezegun import freeze_time

from dashboard.app import make_app
from sayna_testing import FakeSaynaServer, Participant, ServerSettings

pytestmark = pytest.mark.asyncio
Browser = TestClient[web.Request, web.Application]


@pytest_asyncio.fixture
async def browser(sayna_server: FakeSaynaServer) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(sayna_server.url))) as client:
        yield client


async def read(browser: Browser, path: str) -> str:
    async with browser.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def submit(browser: Browser, path: str, **form: str) -> tuple[int, str]:
    async with browser.post(path, data=form) as answer:
        return answer.status, await answer.text()


async def test_an_idle_house_says_so(browser: Browser) -> None:
    assert "nobody is on the line" in await read(browser, "/")


async def test_rooms_are_listed_with_the_time_they_began(
    sayna_server: FakeSaynaServer, browser: Browser
) -> None:
    with freeze_time("2026-01-01 12:30:00"):
        sayna_server.rooms.create("support-88").join(Participant("guest-71", "Rowan Pike"))
    page = await read(browser, "/")
    assert '<a href="/rooms/support-88">support-88</a> 1 since 12:30' in page


async def test_a_guest_can_be_put_out(sayna_server: FakeSaynaServer, browser: Browser) -> None:
    room = sayna_server.rooms.create("support-88")
    room.join(Participant("guest-71", "Rowan Pike"))
    assert "Rowan Pike (standard)" in await read(browser, "/rooms/support-88")
    status, page = await submit(browser, "/rooms/support-88/remove", identity="guest-71")
    assert (status, room.present()) == (200, [])
    assert "Rowan Pike" not in page


async def test_a_name_cannot_inject_html(sayna_server: FakeSaynaServer, browser: Browser) -> None:
    sayna_server.rooms.create("a/b?<i>").join(Participant("<script>", "<b>Bobby</b>"))
    assert 'href="/rooms/a%2Fb%3F%3Ci%3E"' in await read(browser, "/")
    page = await read(browser, "/rooms/a%2Fb%3F%3Ci%3E")
    assert "<b>" not in page
    assert "<script>" not in page


async def test_a_call_out_leads_to_its_room(
    sayna_server: FakeSaynaServer, browser: Browser
) -> None:
    sayna_server.answers("+447700900123", outcome="busy", after=1.5)
    status, page = await submit(browser, "/call", to="+447700900123")
    assert (status, "Callee (sip)" in page) == (200, True)
    (room,) = sayna_server.rooms.all()
    assert room.present()[0].attributes["sip.callStatus"] == "dialing"


async def test_a_caller_can_be_transferred(sayna_server: FakeSaynaServer, browser: Browser) -> None:
    sayna_server.rooms.create("r").join(Participant("sip-1", kind="SIP"))
    status, _ = await submit(browser, "/rooms/r/transfer", identity="sip-1", to="+442079460999")
    assert status == 200
    (sent,) = [e.data for e in sayna_server.requests if e.data["path"] == "/sip/transfer"]
    assert sent["request"]["transfer_to"] == "+442079460999"


@pytest.mark.parametrize(
    ("path", "form", "expected"),
    [
        ("/call", {"to": "call me"}, 400),
        ("/rooms/nowhere/remove", {"identity": "x"}, 404),
        ("/rooms/nowhere/transfer", {"identity": "x", "to": "+442079460999"}, 404),
    ],
)
async def test_mistakes_are_told_in_the_words_of_sayna(
    browser: Browser, path: str, form: dict[str, Any], expected: int
) -> None:
    status, text = await submit(browser, path, **form)
    assert status == expected
    assert text


async def test_an_unknown_recording_is_not_found(browser: Browser) -> None:
    async with browser.get("/recordings/nothing") as answer:
        assert answer.status == 404


@pytest.mark.sayna(settings=ServerSettings(livekit=None))
async def test_a_server_without_livekit_is_not_the_fault_of_the_browser(browser: Browser) -> None:
    async with browser.get("/") as answer:
        assert answer.status == 502
        assert "LiveKit service not configured" in await answer.text()

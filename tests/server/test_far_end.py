"""Who picks up a number that is called, as a test says it."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer

CALL = {
    "room_name": "r",
    "participant_name": "Cal",
    "participant_identity": "callee",
    "from_phone_number": "+1",
    "to_phone_number": "+2",
}


async def statuses(server: FakeSaynaServer, *moments: float) -> list[str]:
    """Call the number; what is known of the callee at these moments, in seconds."""
    known: list[str] = []
    async with aiohttp.ClientSession(server.url, connector=server.connector()) as http:
        async with http.post("/sip/call", json=CALL) as response:
            assert response.status == 200
        now = 0.0
        for moment in moments:
            await asyncio.sleep(moment - now)
            now = moment
            async with http.get("/livekit/rooms/r") as response:
                callees = (await response.json())["participants"]
            known.append(callees[0]["attributes"]["sip.callStatus"] if callees else "gone")
    return known


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({}, ["active", "active", "active"]),
        ({"after": 2.0}, ["dialing", "active", "active"]),
        ({"outcome": "busy", "after": 2.0}, ["dialing", "gone", "gone"]),
        ({"outcome": "no answer"}, ["dialing", "dialing", "gone"]),
    ],
)
def test_callee_does_what_the_test_said(knobs: dict[str, Any], expected: list[str]) -> None:
    with virtual_time(), FakeSaynaServer() as server:
        server.answers(" +2", **knobs)
        assert asyncio.run(statuses(server, 1.0, 3.0, 31.0)) == expected


def test_number_nobody_was_set_up_for_answers_at_once() -> None:
    with virtual_time(), FakeSaynaServer() as server:
        server.answers("+3", outcome="busy")
        assert asyncio.run(statuses(server, 1.0)) == ["active"]


@pytest.mark.parametrize("end", [FakeSaynaServer.close, FakeSaynaServer.reset])
async def test_phone_stops_ringing_when_the_server_ends(
    end: Callable[[FakeSaynaServer], None],
) -> None:
    with FakeSaynaServer() as server:
        server.answers("+2", outcome="no answer")
        assert await statuses(server, 0.0) == ["dialing"]
        (ringing,) = server.state.background
        end(server)
        with pytest.raises(asyncio.CancelledError):
            await ringing


@pytest.mark.parametrize(
    ("to", "knobs", "complaint"),
    [
        ("two", {}, "Invalid character 't' at position 0"),
        ("+2", {"outcome": "maybe"}, "outcome is one of 'answers', 'busy', 'no answer', got"),
        ("+2", {"after": -1}, "after is a number of seconds, got -1"),
    ],
)
def test_far_end_that_cannot_be_is_refused(to: str, knobs: dict[str, Any], complaint: str) -> None:
    with FakeSaynaServer() as server, pytest.raises(ValueError, match=complaint):
        server.answers(to, **knobs)

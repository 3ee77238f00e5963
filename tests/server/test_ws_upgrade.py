"""Clients that give up during their upgrade: nothing is left of them, and nothing is told."""

import asyncio
import logging
from typing import Literal

import aiohttp
import pytest

from sayna_testing.fake import FakeSaynaServer

Way = Literal["memory", "tcp"]
BOTH_WAYS = pytest.mark.parametrize("way", ["memory", "tcp"])


def client(server: FakeSaynaServer, way: Way) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=server.connector() if way == "memory" else None)


async def given_up(server: FakeSaynaServer, way: Way, *, after: int) -> None:
    """Connect, and give up after so many turns of the loop, with all that was opened."""
    async with client(server, way) as http:
        connecting = asyncio.ensure_future(http.ws_connect(server.ws_url, autoclose=False))
        for _ in range(after):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait([connecting])


async def only(tasks: set[asyncio.Task[None]]) -> None:
    """Wait for the end of all other tasks."""
    while others := asyncio.all_tasks() - tasks:
        await asyncio.wait(others, timeout=5)


@BOTH_WAYS
async def test_client_cancelled_at_any_moment_of_its_upgrade_leaves_nothing(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    with FakeSaynaServer(transport=way) as server, caplog.at_level(logging.WARNING):
        await server.listen()
        for after in range(40):
            await given_up(server, way, after=after)
        await only(before)
        assert 0 < len(server.sessions) < 40
        assert all(session.closed for session in server.sessions)
        async with client(server, way) as http, http.ws_connect(server.ws_url) as socket:
            await socket.send_str("nope")
            assert (await socket.receive_json())["type"] == "error"
            await socket.close()
        await only(before)
    assert caplog.records == []


@BOTH_WAYS
async def test_client_that_gives_up_while_its_connection_is_held_leaves_nothing(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    with FakeSaynaServer(transport=way) as server, caplog.at_level(logging.WARNING):
        await server.listen()
        server.faults.connection_delayed(60)
        async with client(server, way) as http:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await http.ws_connect(server.ws_url)
        await only(before)
        assert [entry.kind for entry in server.journal] == ["fault"]
        assert server.sessions == ()
    assert caplog.records == []

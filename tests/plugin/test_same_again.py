"""One journal, however often it is played and however busy the machine is."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.journal import Entry
from tests.frames import CONFIG


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Two processes that do nothing but turn the processors' time to heat."""
    spin = "while True: pass"
    spinners = [subprocess.Popen([sys.executable, "-Sc", spin]) for _ in range(2)]
    yield
    for spinner in spinners:
        spinner.kill()
        spinner.wait()


async def three_minutes(server: FakeSaynaServer) -> None:
    """A call: mic frames all the time, twelve turns, an interruption in each third one."""
    async with (
        aiohttp.ClientSession(connector=server.connector()) as http,
        http.ws_connect(server.ws_url) as ws,
    ):

        async def listen() -> None:
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT and '"is_final":true' in message.data:
                    await ws.send_json({"type": "speak", "text": "At what time, and how many?"})

        async def mic() -> None:
            while True:
                await ws.send_bytes(bytes(3200))
                await asyncio.sleep(1.0)

        await ws.send_json(CONFIG)
        listening = asyncio.create_task(listen())
        session = await server.wait_for_session()
        talking = asyncio.create_task(mic())
        for turn in range(12):
            await session.transcribe("a table for two by the window", wpm=160)
            await session.wait_for_speech(contains="how many")
            if turn % 3 == 0:
                await asyncio.sleep(0.4)
                await ws.send_json({"type": "clear"})
            await asyncio.sleep(12.3)
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
    await listening


def played() -> tuple[list[tuple[object, ...]], float]:
    def seen(entry: Entry) -> tuple[object, ...]:
        return (entry.at, entry.session, entry.flow, entry.kind, str(entry.data), entry.audio)

    with virtual_time() as clock, FakeSaynaServer() as server:
        clock.wall("2026-01-01T09:00Z")  # frames carry the time of day
        asyncio.run(three_minutes(server))
        assert clock.holds == []
        return [seen(entry) for entry in server.journal], clock.elapsed


@pytest.mark.usefixtures("busy_machine")
def test_fifty_calls_of_three_minutes_leave_one_journal() -> None:
    first, length = played()
    assert length >= 170
    assert len(first) > 400
    for _ in range(49):
        again, _ = played()
        assert again == first

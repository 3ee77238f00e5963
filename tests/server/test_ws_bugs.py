"""Bugs of the fake itself: told at once, and never a session that only stalls."""

import asyncio
import logging
from typing import Any

import aiohttp
import pytest

from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.rooms import AgentAudio, RoomEvent
from tests.server.conftest import Bench


class FullDisk(Journal):
    """A journal that cannot write down what is sent."""

    def record(self, kind: str, **facts: Any) -> Entry:
        if facts["flow"] == "<":
            raise OSError("no space left")
        return super().record(kind, **facts)


async def test_bug_while_sending_ends_the_connection_and_is_told(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.journal = FullDisk()
    peer = await bench.connect()
    await peer.send({"type": "config", "audio": False})
    message = await asyncio.wait_for(peer.socket.receive(), 5)
    assert message.type is aiohttp.WSMsgType.CLOSED
    for _ in range(10):  # the server has a little to do behind its last byte
        await asyncio.sleep(0)
    assert peer.connection.closed
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("sayna_testing", logging.ERROR)
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "no space left"


async def test_bug_while_speaking_is_told_to_the_loop_at_once(bench: Bench) -> None:
    peer = await bench.connect()
    await peer.configure(livekit={"room_name": "r"})
    loop = asyncio.get_running_loop()
    told: asyncio.Future[dict[str, Any]] = loop.create_future()

    def broken(event: RoomEvent) -> None:
        if isinstance(event, AgentAudio):
            raise ZeroDivisionError

    bench.state.rooms.subscribe(broken)
    loop.set_exception_handler(lambda _, context: told.set_result(context))
    await peer.send({"type": "speak", "text": "Hello"})
    context = await asyncio.wait_for(told, 5)
    assert isinstance(context["exception"], ZeroDivisionError)

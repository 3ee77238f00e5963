"""Connections of clients that hurry, dawdle or leave, and of a server that has a bug."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest

from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.http_connection import HttpConnection
from sayna_testing.server.memory import MemoryTransport
from sayna_testing.server.rest import Request, Response
from tests.server.conftest import Client

GET = b"GET / HTTP/1.1\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"
MUCH = 4 << 20


def connect(
    answer: Callable[[Request, HttpConnection], Awaitable[Response | None]],
) -> tuple[Client, MemoryTransport]:
    client = Client()
    loop = asyncio.get_running_loop()
    return client, MemoryTransport.pair(loop, client, HttpConnection(answer))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def ok(_request: Request, _connection: HttpConnection) -> Response:
    return Response(200, (("content-length", "0"),))


async def test_what_is_done_for_a_client_that_left_is_stopped() -> None:
    stopped = asyncio.Event()

    async def answer(_request: Request, _connection: HttpConnection) -> NoReturn:
        try:
            await asyncio.Future()
        finally:
            stopped.set()
        raise AssertionError("nobody waits for this")

    _, transport = connect(answer)
    transport.write(GET)
    await settle()
    transport.write(GET)
    await settle()
    assert not stopped.is_set()
    transport.abort()
    await asyncio.wait_for(stopped.wait(), 1)


async def test_client_that_leaves_during_a_planned_delay_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = asyncio.all_tasks()
    with FakeSaynaServer() as server, caplog.at_level(logging.DEBUG):
        await server.listen()
        server.faults.connection_delayed(60)
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13"
        writer.write(f"GET /ws HTTP/1.1\r\n{upgrade}\r\nsec-websocket-key: x\r\n\r\n".encode())
        await asyncio.wrap_future(server.journal.first(lambda entry: entry.kind == "fault"))
        writer.close()
        await asyncio.wait(asyncio.all_tasks() - before, timeout=5)
    assert asyncio.all_tasks() == before
    assert not server.sessions
    assert [record for record in caplog.records if record.name != "asyncio"] == []


async def test_client_that_sends_without_end_is_held_back() -> None:
    go = asyncio.Event()

    async def answer(request: Request, connection: HttpConnection) -> Response:
        await go.wait()
        return await ok(request, connection)

    client, transport = connect(answer)
    transport.write(GET)
    await settle()
    transport.write(f"POST / HTTP/1.1\r\ncontent-length: {MUCH}\r\n\r\n".encode() + b"x" * MUCH)
    await settle()
    transport.write(LAST)
    await settle()
    assert transport.get_write_buffer_size() == len(LAST)
    go.set()
    await client.ended
    assert client.received.count(b"HTTP/1.1 200 OK") == 3


async def test_client_that_does_not_read_is_waited_for() -> None:
    written: list[bool] = []

    async def answer(_request: Request, connection: HttpConnection) -> None:
        written.append(await connection.write(b"x" * MUCH))
        written.append(await connection.write(b"y"))

    client, transport = connect(answer)
    transport.pause_reading()
    transport.write(GET)
    await settle()
    assert written == []
    transport.resume_reading()
    await client.ended
    assert written == [True, True]
    assert client.received.endswith(b"xy")


async def test_writing_to_a_client_that_left_says_so() -> None:
    written: list[bool] = []

    class Gone:
        def feed_data(self, data: bytes) -> None:
            assert data == b"more"

        def feed_eof(self) -> None:
            gone.set()

    gone = asyncio.Event()

    async def answer(_request: Request, connection: HttpConnection) -> None:
        connection.hand_over(Gone())
        await gone.wait()
        written.append(await connection.write(b"x"))

    client, transport = connect(answer)
    transport.write(GET + b"more")
    await settle()
    transport.close()
    await client.ended
    await settle()
    assert written == [False]
    assert client.received == b""


async def test_bug_of_the_server_ends_the_connection_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(_request: Request, _connection: HttpConnection) -> NoReturn:
        raise ZeroDivisionError

    client, transport = connect(answer)
    transport.write(GET)
    await client.ended
    assert client.received == b""
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("sayna_testing", "the fake server failed")
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (413, "Payload Too Large"),
        (422, "Unprocessable Entity"),
        (503, "Service Unavailable"),
        (599, "<none>"),
    ],
)
async def test_phrases_are_those_of_the_real_server(status: int, phrase: str) -> None:
    async def answer(_request: Request, _connection: HttpConnection) -> Response:
        return Response(status)

    client, transport = connect(answer)
    transport.write(LAST)
    await client.ended
    assert client.received.startswith(f"HTTP/1.1 {status} {phrase}\r\n".encode())


async def test_request_may_come_byte_by_byte() -> None:
    bodies: list[bytes] = []

    async def answer(request: Request, connection: HttpConnection) -> Response:
        bodies.append(request.body)
        return await ok(request, connection)

    head = b"\r\nPOST / HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    client, transport = connect(answer)
    for byte in head + b"2;a=b\r\n{}\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n":
        transport.write(bytes([byte]))
        await settle()
    await client.ended
    assert client.received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert bodies == [b"{}!"]


def test_bytes_that_come_while_the_loop_ends_are_lost_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        _, transport = connect(ok)
        await settle()
        asyncio.get_running_loop().call_soon(transport.write, GET)

    asyncio.run(main())
    assert caplog.records == []

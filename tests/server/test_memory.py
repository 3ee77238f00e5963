"""The in-memory transport, with real aiohttp on both ends."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from sayna_testing.server.memory import MemoryConnector, MemoryTransport

URL = "http://sayna.invalid"


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """Echo a body, or a WebSocket's messages until it closes."""
    if request.path == "/ws":
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        async for message in ws:
            if message.data == "abort":
                assert request.transport is not None
                request.transport.abort()
            elif message.type is aiohttp.WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        return ws
    return web.Response(body=await request.read(), headers={"X-Remote": request.remote or ""})


@asynccontextmanager
async def session(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = answer,
) -> AsyncIterator[tuple[aiohttp.ClientSession, MemoryConnector]]:
    server = web.Server(handler)
    connector = MemoryConnector(server)
    async with aiohttp.ClientSession(connector=connector) as client:
        yield client, connector
    await server.shutdown(0.1)


async def test_request_and_response_pass_without_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    async with session() as (client, _):
        monkeypatch.setattr(socket, "socket", refuse)
        async with client.post(f"{URL}/", data=b"x" * 300_000) as response:
            assert await response.read() == b"x" * 300_000
            assert response.headers["X-Remote"] == "127.0.0.1"


async def test_websocket_echoes_and_closes() -> None:
    async with session() as (client, connector):
        async with client.ws_connect(f"{URL}/ws") as ws:
            await ws.send_str("hello")
            assert await ws.receive_str() == "hello"
            await ws.send_bytes(b"\0" * 1_000_000)
            assert await ws.receive_bytes() == b"\0" * 1_000_000
            assert connector.open_connections == 1
        assert ws.close_code == 1000
    assert connector.open_connections == 0


async def test_https_and_wss_are_served_like_http() -> None:
    async with session() as (client, _), client.ws_connect("wss://sayna.invalid/ws") as ws:
        await ws.send_str("hello")
        assert await ws.receive_str() == "hello"


async def test_abrupt_end_closes_without_a_close_frame() -> None:
    async with session() as (client, _), client.ws_connect(f"{URL}/ws") as ws:
        await ws.send_str("abort")
        message = await ws.receive()
        assert message.type is aiohttp.WSMsgType.CLOSED
        assert ws.close_code == 1006


class Recorder(asyncio.Protocol):
    """A protocol that notes what it is told."""

    transport: MemoryTransport

    def __init__(self) -> None:
        self.events: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.events.append(data)

    def eof_received(self) -> None:
        self.events.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(exc if exc is None else str(exc))

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


def joined() -> tuple[Recorder, Recorder]:
    client, server = Recorder(), Recorder()
    MemoryTransport.pair(asyncio.get_running_loop(), client, server)
    return client, server


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_writes_are_handed_over_later_and_in_order() -> None:
    client, server = joined()
    client.transport.write(b"a")
    client.transport.write(bytearray(b"b"))
    client.transport.write(memoryview(b"c"))
    client.transport.write(b"")
    assert server.events == []
    await settle()
    assert server.events == [b"abc"]


async def test_a_paused_reader_pauses_the_writer_until_it_reads_again() -> None:
    client, server = joined()
    client.transport.set_write_buffer_limits(high=4)
    assert client.transport.get_write_buffer_limits() == (1, 4)
    server.transport.pause_reading()
    assert not server.transport.is_reading()
    client.transport.write(b"abcd")
    assert client.events == []
    client.transport.write(b"e")
    client.transport.write(b"f")
    assert client.events == ["pause"]
    assert client.transport.get_write_buffer_size() == 6
    await settle()
    assert server.events == []
    server.transport.resume_reading()
    await settle()
    assert server.events == [b"abcdef"]
    assert client.events == ["pause", "resume"]
    assert client.transport.get_write_buffer_size() == 0


async def test_pausing_holds_back_what_is_already_on_its_way() -> None:
    client, server = joined()
    client.transport.write(b"a")
    server.transport.pause_reading()
    await settle()
    assert server.events == []
    server.transport.resume_reading()
    await settle()
    assert server.events == [b"a"]


async def test_limits_are_asyncios() -> None:
    client, _ = joined()
    assert client.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    client.transport.set_write_buffer_limits(low=10)
    assert client.transport.get_write_buffer_limits() == (10, 40)
    client.transport.set_write_buffer_limits()
    assert client.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    with pytest.raises(ValueError, match="expected 0 <= low <= high, got low=2 and high=1"):
        client.transport.set_write_buffer_limits(high=1, low=2)
    assert not client.transport.can_write_eof()


async def test_close_delivers_what_was_written_then_the_end() -> None:
    client, server = joined()
    server.transport.pause_reading()
    client.transport.write(b"bye")
    client.transport.close()
    client.transport.close()
    client.transport.write(b"too late")
    await settle()
    assert client.transport.is_closing()
    assert client.events == [None]
    assert server.events == []
    server.transport.resume_reading()
    await settle()
    assert server.events == [b"bye", "eof", None]


async def test_abort_loses_what_was_not_taken() -> None:
    client, server = joined()
    client.transport.write(b"lost")
    client.transport.abort()
    client.transport.abort()
    await settle()
    assert client.events == [None]
    assert server.events == ["eof", None]


async def test_writing_to_who_has_gone_is_lost() -> None:
    client, server = joined()
    server.transport.close()
    client.transport.write(b"lost")
    await settle()
    assert server.events == [None]
    assert client.events == ["eof", None]


async def test_a_writer_that_does_not_read_learns_that_the_peer_has_gone() -> None:
    client, server = joined()
    client.transport.pause_reading()
    server.transport.close()
    await settle()
    assert client.events == []
    client.transport.write(b"anybody there?")
    await settle()
    assert client.events == ["Connection reset by peer"]


async def test_a_paused_writer_that_does_not_read_is_freed_by_the_end() -> None:
    client, server = joined()
    client.transport.set_write_buffer_limits(high=0)
    client.transport.pause_reading()
    server.transport.pause_reading()
    client.transport.write(b"x")
    server.transport.close()
    await settle()
    assert client.events == ["pause", "Connection reset by peer"]


async def test_another_protocol_can_take_over() -> None:
    client, server = joined()
    successor = Recorder()
    server.transport.set_protocol(successor)
    assert server.transport.get_protocol() is successor
    client.transport.write(b"a")
    await settle()
    assert (server.events, successor.events) == ([], [b"a"])
    server.transport.set_protocol(asyncio.BaseProtocol())  # one that takes no bytes
    client.transport.write(b"b")
    client.transport.close()
    server.transport.set_protocol(successor)
    await settle()
    assert successor.events == [b"a", b"b", "eof", None]


async def test_abort_all_drops_both_ends() -> None:
    async with session() as (client, connector), client.ws_connect(f"{URL}/ws") as ws:
        connector.abort_all()
        message = await ws.receive()
        assert message.type is aiohttp.WSMsgType.CLOSED
        assert connector.open_connections == 0


def test_abort_all_after_the_loop_has_closed() -> None:
    loop = asyncio.new_event_loop()

    async def connect() -> tuple[MemoryConnector, Recorder, Recorder]:
        connector = MemoryConnector(lambda: server)
        session = aiohttp.ClientSession(connector=connector, connector_owner=False)
        request = asyncio.ensure_future(session.get(URL))
        await settle()
        request.cancel()
        await session.close()
        return connector, server, server

    server = Recorder()
    connector, *_ = loop.run_until_complete(connect())
    loop.close()
    connector.abort_all()
    assert connector.open_connections == 0

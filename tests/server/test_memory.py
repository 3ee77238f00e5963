"""The in-memory transport, with real aiohttp on both ends."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from sayna_testing.server.memory import MemoryConnector

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

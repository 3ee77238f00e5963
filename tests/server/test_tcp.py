"""The lazy TCP listener, from clients in this and in other threads."""

import asyncio
import socket
import threading
import time
import urllib.request

import aiohttp
import pytest
from aiohttp import web

from sayna_testing.server.tcp import TcpListener

HANGING = threading.Event()


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/ws":
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            await ws.send_str(message.data)
        return ws
    if request.path == "/hang":
        HANGING.set()
        await asyncio.sleep(3600)
    return web.Response(text=threading.current_thread().name)


def accept() -> asyncio.Protocol:
    return web.Server(answer)()


def serving_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("sayna-serve")]


def test_serving_thread_starts_with_the_first_connection_and_ends_with_close() -> None:
    listener = TcpListener(accept)
    assert serving_threads() == []
    with urllib.request.urlopen(f"http://{listener.host}:{listener.port}/") as response:
        assert response.read().decode() == f"sayna-serve-{listener.port}"
    listener.close()
    assert serving_threads() == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((listener.host, listener.port), timeout=1)


def test_close_does_not_wait_for_a_request_at_work() -> None:
    listener = TcpListener(accept)
    with socket.create_connection((listener.host, listener.port), timeout=5) as client:
        client.sendall(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
        assert HANGING.wait(5)
        start = time.monotonic()
        listener.close()
        assert time.monotonic() - start < 0.5
        assert client.recv(1) == b""
    listener.close()


async def test_close_ends_websockets_abruptly() -> None:
    listener = TcpListener(accept)
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"http://{listener.host}:{listener.port}/ws") as ws,
    ):
        await ws.send_str("hello")
        assert await ws.receive_str() == "hello"
        listener.close()
        message = await ws.receive()
        assert message.type is aiohttp.WSMsgType.CLOSED
    assert ws.close_code == 1006


def test_a_request_may_close_the_listener_that_serves_it() -> None:
    async def close(_: web.BaseRequest) -> web.StreamResponse:
        listener.close()
        return web.Response()

    listener = TcpListener(lambda: web.Server(close)())
    with socket.create_connection((listener.host, listener.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while client.recv(1024):
            pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((listener.host, listener.port), timeout=1)

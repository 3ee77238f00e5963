"""What the server sends elsewhere, over real sockets."""

import asyncio
import socket
from contextlib import ExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sayna_testing.server.posting import post
from sayna_testing.server.rest import Limits, PostError


async def test_a_receiver_that_takes_no_connection_is_given_up_long_before_the_total() -> None:
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the queue of connections that nobody accepts is full
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        async with asyncio.timeout(20):
            with pytest.raises(PostError, match="operation timed out"):
                await post(url, (), b"{}", Limits(total=60.0, connect=0.5))


async def test_ten_redirects_are_followed_and_no_more() -> None:
    async def step(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        if not left:
            return web.Response(text="here")
        raise web.HTTPTemporaryRedirect(f"/{left - 1}")

    app = web.Application()
    app.router.add_post("/{left}", step)
    async with TestServer(app) as receiver:
        posted = await post(str(receiver.make_url("/10")), (), b"{}", Limits(total=5.0))
        assert (posted.status, posted.body) == (200, b"here")
        with pytest.raises(PostError):
            await post(str(receiver.make_url("/11")), (), b"{}", Limits(total=5.0))

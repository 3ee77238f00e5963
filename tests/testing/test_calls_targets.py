"""Who answers the webhook of a call: an aiohttp application, or anything at a URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sayna_client.webhook_receiver import WebhookReceiver
from sayna_testing.clock import virtual_time
from sayna_testing.delivery import Target
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import loads
from tests.testing.agents import SECRET, EchoAgent


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with virtual_time(), FakeSaynaServer() as server:
        yield server


def aiohttp_app(url: str, *, status: int = 200) -> web.Application:
    """An application that answers calls in tasks, which end before it does."""
    app = web.Application()
    receiver = WebhookReceiver(SECRET)
    calls = set[asyncio.Task[None]]()

    async def incoming(request: web.Request) -> web.Response:
        hook = receiver.receive(request.headers, await request.text())
        if status == 200:
            calls.add(asyncio.create_task(EchoAgent(url, hook.room.name).run()))
        return web.json_response({"from": hook.from_phone_number}, status=status)

    async def hang_up_at_the_end(_: web.Application) -> AsyncIterator[None]:
        yield
        await asyncio.gather(*calls)

    app.router.add_post("/hooks/sayna", incoming)
    app.cleanup_ctx.append(hang_up_at_the_end)
    return app


@asynccontextmanager
async def answering(kind: str, app: web.Application) -> AsyncIterator[Target]:
    """The application itself, or the address at which it is served."""
    if kind == "application":
        yield app
        return
    async with TestServer(app) as served:
        yield str(served.make_url("/hooks/sayna"))


KINDS = pytest.mark.parametrize("kind", ["application", "url"])


@KINDS
def test_it_is_called_and_converses(server: FakeSaynaServer, kind: str) -> None:
    async def call() -> None:
        async with (
            answering(kind, aiohttp_app(server.url)) as webhook,
            server.call(from_="+447700900456", webhook=webhook) as caller,
        ):
            await caller.interrupts("no, wait", after=0.4)
            assert await caller.hears("you said") == "You said: no, wait."
            assert [heard.cut for heard in caller.heard] == [True, False]

    asyncio.run(call())
    (hook,) = [entry.data for entry in server.journal if entry.kind == "webhook"]
    assert (hook["status"], hook["from_phone_number"]) == (200, "+447700900456")


@KINDS
def test_its_refusal_fails_the_call(server: FakeSaynaServer, kind: str) -> None:
    async def call() -> None:
        async with (
            answering(kind, aiohttp_app(server.url, status=503)) as webhook,
            server.call(webhook=webhook),
        ):
            pytest.fail("nobody answered")

    with pytest.raises(ExpectationError, match="answered with 2xx, got 503"):
        asyncio.run(call())


def test_its_refusal_fails_a_script(server: FakeSaynaServer) -> None:
    script = loads('name = "x"\n[[turn]]\nagent = { contains = "help" }\n')
    with pytest.raises(ExpectationError, match="answered with 2xx, got 503"):
        asyncio.run(server.play(script, aiohttp_app(server.url, status=503)))


@KINDS
def test_scripts_are_played_to_it_by_telephone(server: FakeSaynaServer, kind: str) -> None:
    script = loads("""
        name = "an echo"
        caller = { from = "+447700900456" }

        [[turn]]
        agent = { contains = "how can I help" }

        [[turn]]
        caller = "a table"
        agent = { equals = "You said: a table." }
    """)

    async def play() -> None:
        async with answering(kind, aiohttp_app(server.url)) as agent:
            await server.play(script, agent)

    asyncio.run(play())
    assert [entry.kind for entry in server.journal].count("webhook") == 1

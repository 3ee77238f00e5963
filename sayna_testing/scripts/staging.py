"""Bringing a script and an agent together: in a session, or on the telephone."""

from __future__ import annotations

import inspect
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias, cast

from aiohttp import web

from sayna_testing.calls.caller import Caller
from sayna_testing.calls.people import PlainCaller, RoomCaller
from sayna_testing.delivery import Target
from sayna_testing.expectations import ExpectationError, only_ours
from sayna_testing.scripts.model import Script
from sayna_testing.scripts.outcome import Outcome
from sayna_testing.scripts.player import play
from sayna_testing.scripts.running import AgentCallable, beside, broke_down, running
from sayna_testing.scripts.scene import Stage
from sayna_testing.server.session import Session

__tracebackhide__ = only_ours

Agent: TypeAlias = "AgentCallable | Target"
"""An agent under test: a callable that takes the server's URL and returns an awaitable, or what
answers the webhook of a call: an ASGI application, an aiohttp application, a URL."""


class Server(Stage, Protocol):
    """What bringing them together needs of a server."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    async def wait_for_session(self) -> Session:
        """The next session."""
        ...

    def caller(self, session: Session, *, wpm: float) -> PlainCaller:
        """The caller of a session."""
        ...

    def call(
        self, *, from_: str, to: str, webhook: Target, wpm: float
    ) -> AbstractAsyncContextManager[RoomCaller]:
        """A telephone call."""
        ...


async def perform(server: Server, script: Script, agent: Agent | None) -> Outcome:
    """Play a script against an agent, or against the next session if none is given."""
    if agent is None:
        return await play(script, await _next(server, script), server)
    if is_url_agent(agent):
        async with running(cast("AgentCallable", agent), server.url) as task:
            caller = await beside(task, _next(server, script))
            return await beside(task, play(script, caller, server))
    try:
        return await _by_telephone(server, script, cast("Target", agent))
    except ExpectationError:
        raise
    except Exception as error:
        raise broke_down(error) from error


async def _by_telephone(server: Server, script: Script, webhook: Target) -> Outcome:
    person = script.caller
    async with server.call(
        from_=person.from_number, to=person.to_number, webhook=webhook, wpm=person.wpm
    ) as caller:
        return await play(script, caller, server)


async def _next(server: Server, script: Script) -> Caller:
    return server.caller(await server.wait_for_session(), wpm=script.caller.wpm)


def is_url_agent(agent: Agent) -> bool:
    """Whether it is called with an address; an ASGI application takes three things."""
    if isinstance(agent, str | web.Application):
        return False
    try:
        inspect.signature(agent).bind("url")
    except TypeError:
        return False
    return True

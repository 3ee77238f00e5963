"""The HTTP shell: carries requests to the rules and answers back, byte for byte."""

from __future__ import annotations

import asyncio
import json
import re
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from aiohttp import web
from multidict import CIMultiDict

from sayna_testing.server.faults import Faults
from sayna_testing.server.http_faults import disturbed
from sayna_testing.server.journal import Journal, redact_text
from sayna_testing.server.rest import Request, Response, Upgrade

Answer: TypeAlias = Callable[[Request], Awaitable[Response | Upgrade]]
Serve: TypeAlias = Callable[[Upgrade, web.Request], Awaitable[web.StreamResponse]]
Door: TypeAlias = Callable[[Request], Awaitable[Response | None]]
"""Asked before the rules of the real server: an answer of its own, or None for none of its own."""

_ORIGIN = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/?]*", re.IGNORECASE)
_LIMITS: dict[str, Any] = {
    "auto_decompress": False,  # bodies are read as they come, whatever their encoding says
    "max_line_size": 64 * 1024,
    "max_field_size": 400 * 1024,
}
"""What hyper, the HTTP library of the real server, does and takes."""
_ADDED_BY_AIOHTTP = frozenset({"server", "content-type", "content-length"})


class App:
    """Makes the server side of connections, whichever loop they arrive in."""

    def __init__(
        self, answer: Answer, serve: Serve, journal: Journal, faults: Callable[[], Faults]
    ) -> None:
        self._answer = answer
        self._serve = serve
        self._journal = journal
        self._faults = faults
        self.door: Door | None = None
        self._servers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, web.Server]
        self._servers = weakref.WeakKeyDictionary()

    def accept(self) -> asyncio.Protocol:
        """A fresh HTTP server protocol for a connection served by the running loop."""
        loop = asyncio.get_running_loop()
        server = self._servers.get(loop)
        if server is None:
            server = self._servers[loop] = self._make_server()
        return server()

    def _make_server(self) -> web.Server:
        @web.middleware
        async def everything(request: web.Request, handler: object) -> web.StreamResponse:
            return await self._handle(request)

        app = web.Application(client_max_size=0, middlewares=[everything])
        app.on_response_prepare.append(_only_our_headers)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, **_LIMITS)
        # With nothing to start, set-up never waits, so one step runs it where no await is possible.
        try:
            runner.setup().send(None)
        except StopIteration:
            assert runner.server is not None
            return runner.server
        raise RuntimeError("aiohttp's AppRunner.setup() waits for something; it never did before")

    async def _handle(self, raw: web.Request) -> web.StreamResponse:
        request = await _read(raw)
        if self.door is not None and (own := await self.door(request)) is not None:
            return _Exactly(status=own.status, headers=CIMultiDict(own.headers), body=own.body)
        effects = self._faults().http(request.method, request.raw_path)
        for effect in effects:
            self._journal.record(
                "fault", flow="*", data={"fault": str(effect), "at": request.raw_path}
            )
        answer = await disturbed(effects, raw, partial(self._answer, request))
        if isinstance(answer, Upgrade):
            return await self._serve(answer, raw)
        if not isinstance(answer, Response):
            return answer
        self._journal.record(
            "http",
            flow=">",
            data={
                "method": request.method,
                "path": request.raw_path,
                "status": answer.status,
                "request": _readable(request.body),
                "response": _readable(answer.body),
            },
            error=answer.status >= 400,
        )
        return _Exactly(status=answer.status, headers=CIMultiDict(answer.headers), body=answer.body)


class _Exactly(web.Response):
    """A response with the headers it was made with, and nothing that aiohttp would add."""

    def __init__(self, *, status: int, headers: CIMultiDict[str], body: bytes) -> None:
        super().__init__(status=status, headers=headers, body=body)
        self.names = frozenset(name.lower() for name in headers)


async def _read(raw: web.Request) -> Request:
    target = _ORIGIN.sub("", raw.raw_path, count=1)
    path, _, query = target.partition("?")
    return Request(
        method=raw.method,
        raw_path=path or "/",
        query=query,
        headers=tuple(
            (name.decode("latin-1"), value.strip(b" \t").decode("latin-1"))
            for name, value in raw.raw_headers
        ),
        body=await raw.read(),
        http_version=(raw.version.major, raw.version.minor),
    )


async def _only_our_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Take away what aiohttp adds and the real server does not send; names are in lower case."""
    ours = response.names if isinstance(response, _Exactly) else frozenset[str]()
    foreign = _ADDED_BY_AIOHTTP - ours
    kept = [(name.lower(), value) for name, value in response.headers.items()]
    response.headers.clear()
    response.headers.extend((name, value) for name, value in kept if name not in foreign)


def _readable(body: bytes) -> Any:
    """A body as the journal shows it: JSON as a value, other text as it is, the rest as a size."""
    if not body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"{len(body)} bytes"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return redact_text(text)

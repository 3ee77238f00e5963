"""The HTTP shell: carries requests to the rules and answers back, byte for byte."""

from __future__ import annotations

import asyncio
import json
import re
import weakref
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError, StreamWriter
from aiohttp.http_exceptions import LineTooLong
from multidict import CIMultiDict

from sayna_testing.server.faults import Faults
from sayna_testing.server.http_faults import disturbed
from sayna_testing.server.journal import Journal, redact_text
from sayna_testing.server.rest import Request, Response, Upgrade

Answer: TypeAlias = Callable[[Request], Awaitable[Response | Upgrade]]
Serve: TypeAlias = Callable[[Upgrade, web.BaseRequest], Awaitable[web.StreamResponse]]
Door: TypeAlias = Callable[[Request], Awaitable[Response | None]]
"""Asked before the rules of the real server: an answer of its own, or None for none of its own."""

_ORIGIN = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/?]*", re.IGNORECASE)
_LIMITS: dict[str, Any] = {
    "access_log": None,
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
        return _Handler(server, loop=loop, **_LIMITS)

    def _make_server(self) -> web.Server:
        loop = asyncio.get_running_loop()

        def make_request(
            message: Any,  # what aiohttp's own factory takes, in types it does not export
            payload: Any,
            protocol: Any,
            _writer: object,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            writer = _Writer(protocol, loop)
            return web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=0
            )

        return web.Server(self._handle, request_factory=make_request)

    async def _handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        if raw.headers.get("expect", "").lower() == "100-continue":
            await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
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


class _Handler(web.RequestHandler):
    """Refuses heads that cannot be read as hyper does: without a body, a log line or a name."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what has no answer of the rules; nothing is left to answer after a bad head."""
        transport = request.transport
        if not isinstance(exc, HttpProcessingError) or not isinstance(
            transport, asyncio.WriteTransport
        ):
            return super().handle_error(request, status, exc, message)
        refused = HTTPStatus.BAD_REQUEST
        if isinstance(exc, LineTooLong):
            refused = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        transport.write(
            f"HTTP/1.1 {refused.value} {refused.phrase}\r\nconnection: close\r\n"
            f"content-length: 0\r\ndate: {formatdate(usegmt=True)}\r\n\r\n".encode()
        )
        transport.close()
        return web.StreamResponse()


class _Writer(StreamWriter):
    """Writes names in lower case, and leaves out what aiohttp adds and the real server does not."""

    own_names: frozenset[str] = frozenset()

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None:
        """Write the head of a response."""
        foreign = _ADDED_BY_AIOHTTP - self.own_names
        named = ((name.lower(), value) for name, value in headers.items())
        kept = CIMultiDict((name, value) for name, value in named if name not in foreign)
        await super().write_headers(status_line, kept)


class _Exactly(web.Response):
    """A response with the headers it was made with, and nothing that aiohttp would add."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the head."""
        writer = cast("_Writer", request.writer)  # the factory of the server made it
        writer.own_names = frozenset(name.lower() for name in self.headers)
        return await super().prepare(request)


async def _read(raw: web.BaseRequest) -> Request:
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

"""The HTTP shell: carries requests to the rules and answers back, through faults and journal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from sayna_testing.server.faults import Faults
from sayna_testing.server.http_connection import HttpConnection
from sayna_testing.server.http_faults import disturbed
from sayna_testing.server.journal import Journal, redact_text
from sayna_testing.server.rest import Request, Response, Upgrade

Answer: TypeAlias = Callable[[Request], Awaitable[Response | Upgrade]]
Serve: TypeAlias = Callable[[Upgrade, HttpConnection], Awaitable[None]]
Door: TypeAlias = Callable[[Request], Awaitable[Response | None]]
"""Asked before the rules of the real server: an answer of its own, or None for none of its own."""


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

    def accept(self) -> asyncio.Protocol:
        """A fresh HTTP server protocol for a connection served by the running loop."""
        return HttpConnection(self._handle)

    async def _handle(self, request: Request, connection: HttpConnection) -> Response | None:
        if self.door is not None and (own := await self.door(request)) is not None:
            return own
        effects = self._faults().http(request.method, request.raw_path)
        for effect in effects:
            self._journal.record(
                "fault", flow="*", data={"fault": str(effect), "at": request.raw_path}
            )
        answer = await disturbed(effects, connection, partial(self._answer, request))
        if isinstance(answer, Upgrade):
            await self._serve(answer, connection)
            return None
        if answer is not None:
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
        return answer


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

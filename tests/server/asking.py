"""Asks the REST rules without any HTTP between."""

import asyncio
import json
from typing import Any, NamedTuple

from sayna_testing.server.rest import (
    Headers,
    Limits,
    Posted,
    PostError,
    Request,
    Response,
    Upgrade,
    answer,
)
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.state import ServerState

TENANTS = ServerSettings(
    auth_required=True, auth_api_secrets={"acme": "s-acme", "globex": "s globex+"}
)
ACME = {"authorization": "Bearer s-acme"}


class Outgoing(NamedTuple):
    """A request that the server sent elsewhere."""

    url: str
    headers: Headers
    body: bytes
    limits: Limits


class Rest:
    """One server; `outgoing` is what it sent, answered by `answers` in turn (None: no answer)."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self.state = ServerState(settings)
        self.outgoing: list[Outgoing] = []
        self.answers: list[Posted | None] = []

    async def post(self, url: str, headers: Headers, body: bytes, limits: Limits) -> Posted:
        self.outgoing.append(Outgoing(url, headers, body, limits))
        answered = self.answers.pop(0) if self.answers else Posted(200, b"")
        if answered is None:
            raise PostError("operation timed out")
        return answered

    async def raw(self, request: Request) -> Response | Upgrade:
        return await answer(self.state, request, post=self.post)

    async def __call__(
        self, method: str, target: str, body: Any = None, **headers: str
    ) -> Response:
        """Send bytes as they are, anything else as JSON."""
        path, _, query = target.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        pairs = tuple(sent.items())
        response = await self.raw(Request(method, path, query, pairs, body or b""))
        assert isinstance(response, Response)
        return response

    async def json(self, method: str, target: str, body: Any = None, **headers: str) -> Any:
        """The JSON of a successful answer."""
        response = await self(method, target, body, **headers)
        assert response.status == 200, response
        return json.loads(response.body)

    async def error(
        self, method: str, target: str, body: Any = None, **headers: str
    ) -> tuple[int, str]:
        """Status and body of an answer that is none."""
        response = await self(method, target, body, **headers)
        return response.status, response.body.decode()

    async def settled(self) -> None:
        """Wait for everything the server does beside its answers."""
        while self.state.background:
            await asyncio.wait(self.state.background)

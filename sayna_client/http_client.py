"""REST with the errors of this package: JSON, bytes, streams, raw answers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import aiohttp

from sayna_client import answers, retries
from sayna_client.answers import Headers, RawResponse
from sayna_client.checks import above_zero, whole_number
from sayna_client.codec import json_text
from sayna_client.exchange import Call, Exchange, is_success, mapped, read
from sayna_client.limits import Limits
from sayna_client.network import Network
from sayna_client.timing import time_limit
from sayna_client.urls import targets


class CallOptions(TypedDict, total=False):
    """Options of one REST call: `timeout` in seconds, retries included, and how many `retries`."""

    timeout: float
    retries: int


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """A body read piece by piece with `async for`, and the headers that came before it."""

    headers: Headers
    chunks: AsyncIterator[bytes]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks


class SaynaHttpClient:
    """Requests to one server; the session is made on first use and again after `close()`.

    One client serves any number of event loops, one after another or at once.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        network: Network | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.api_key = api_key
        self._limits = limits or Limits()
        self._exchange = Exchange(network or Network(targets=targets(base_url), api_key=api_key))

    async def get(
        self, endpoint: str, params: dict[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> Any:
        """GET an endpoint and return its JSON."""
        return (await self.call("GET", endpoint, params=params, **options)).json()

    async def post(
        self,
        endpoint: str,
        data: Any = None,
        json_data: Any = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """POST to an endpoint and return its JSON."""
        return (await self.call("POST", endpoint, data=data, json=json_data, **options)).json()

    async def delete(
        self, endpoint: str, json_data: Any = None, **options: Unpack[CallOptions]
    ) -> Any:
        """DELETE at an endpoint and return its JSON."""
        return (await self.call("DELETE", endpoint, json=json_data, **options)).json()

    async def get_binary(
        self, endpoint: str, params: dict[str, Any] | None = None, **options: Unpack[CallOptions]
    ) -> tuple[bytes, dict[str, str]]:
        """GET an endpoint and return its bytes and headers."""
        response = await self.call("GET", endpoint, params=params, **options)
        return response.body, response.headers

    async def post_binary(
        self, endpoint: str, json_data: Any = None, **options: Unpack[CallOptions]
    ) -> tuple[bytes, dict[str, str]]:
        """POST to an endpoint and return its bytes and headers."""
        response = await self.call("POST", endpoint, json=json_data, **options)
        return response.body, response.headers

    async def call(
        self,
        method: str,
        endpoint: str,
        *,
        params: dict[str, Any] | None = None,
        data: Any = None,
        json: Any = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse:
        """Make a request, again if that is right, and return the answer if it is a 2xx.

        Raises:
            SaynaError: by status, as the tree in errors.py has it; or the connection failed.
        """
        response = await self.request(
            method, endpoint, params=params, data=data, json=json, **options
        )
        if not response.ok:
            raise answers.failure(response, endpoint, time.time())
        return response

    async def request(
        self,
        method: str,
        endpoint: str,
        *,
        params: dict[str, Any] | None = None,
        data: Any = None,
        json: Any = None,
        **options: Unpack[CallOptions],
    ) -> RawResponse:
        """Make a request, again if that is right, and return the answer whatever its status.

        Raises:
            SaynaConnectionError, SaynaTimeoutError: there is no answer.
        """
        call = self._prepare(method, endpoint, options, params, data, json)
        async with (
            time_limit(call.limit, f"{call} was not answered"),
            self._exchange.answered(call) as response,
        ):
            with mapped(call):
                return await read(response)

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, endpoint: str, *, data: Any = None, **options: Unpack[CallOptions]
    ) -> AsyncGenerator[StreamedBody]:
        """Make a request and read its body as it comes; `timeout` is for the start and each piece.

        Raises:
            SaynaError: as `call`; a connection that breaks later is raised by the iteration.
        """
        call = self._prepare(method, endpoint, options, None, data)
        async with contextlib.AsyncExitStack() as stack:
            async with time_limit(call.limit, f"{call} was not answered"):
                response = await stack.enter_async_context(self._exchange.answered(call))
                await _refuse(call, response)
            yield StreamedBody(Headers(response.headers.items()), _chunks(call, response))

    async def close(self, limit: float | None = None) -> None:
        """Close the session; calls under way get `limit` seconds, by default `Limits.close`."""
        await self._exchange.close(self._limits.close if limit is None else limit)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _prepare(
        self,
        method: str,
        endpoint: str,
        options: CallOptions,
        params: dict[str, Any] | None,
        data: Any,
        json: Any = None,
    ) -> Call:
        limit = above_zero("timeout", options.get("timeout", self._limits.request))
        again = whole_number("retries", options.get("retries", retries.RETRIES))
        body = data if json is None else json_text(json)
        return Call(method, endpoint, params, body, limit, again)


async def _refuse(call: Call, response: aiohttp.ClientResponse) -> None:
    if not is_success(response):
        raise answers.failure(await read(response), call.endpoint, time.time())


async def _chunks(call: Call, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    while True:
        async with time_limit(call.limit, f"{call}: no further piece came"):
            with mapped(call):
                chunk = await response.content.readany()
        if not chunk:
            return
        yield chunk

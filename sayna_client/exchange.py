"""One REST call: sent, sent again when that is right, answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import aiohttp.abc

from sayna_client import answers, retries
from sayna_client.answers import Headers, RawResponse
from sayna_client.errors import SaynaConnectionError, SaynaError, SaynaValidationError
from sayna_client.log import logger
from sayna_client.network import Network, connection_failure, never_left
from sayna_client.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, within which limit (seconds, retries included), and how often again."""

    method: str
    endpoint: str
    params: Mapping[str, Any] | None
    data: Any
    limit: float
    retries: int

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


class Exchange:
    """Makes calls over lent sessions."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._sessions = Sessions(network)

    @contextlib.asynccontextmanager
    async def answered(self, call: Call) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Give the answer; the body of an error is read already, that of a success is not.

        Raises:
            SaynaConnectionError: there is none.
        """
        deadline = asyncio.get_running_loop().time() + call.limit
        attempt = 0
        async with self._sessions.lend() as session:
            while True:
                response, failure, sent = await self._attempt(session, call)
                pause = _pause(call, attempt, failure, deadline, sent=sent)
                if pause is None or session.closed:
                    break
                logger.debug("%s again in %.2f s", call, pause)
                await asyncio.sleep(pause)
                attempt += 1
            if response is None:
                assert failure is not None
                raise failure
            try:
                yield response
            finally:
                response.release()

    async def close(self, limit: float) -> None:
        """Close the session of the running loop."""
        await self._sessions.close(limit)

    async def _attempt(
        self, session: aiohttp.ClientSession, call: Call
    ) -> tuple[aiohttp.ClientResponse | None, SaynaError | None, bool]:
        data = call.data
        if isinstance(data, str) and retries.once(call.method, call.endpoint):
            data = _OnceBody(data.encode())
        response = None
        try:
            response = await self._network.request(
                session, call.method, call.endpoint, params=call.params, data=data
            )
            if is_success(response):
                return response, None, True
            raw = await read(response)
        except BaseException as error:
            if response is not None:
                response.close()
            failure = _failure(call, error, closed=session.closed)
            if failure is None:
                raise
            return None, failure, not never_left(error)
        return response, answers.failure(raw, call.endpoint, time.time()), True


class _OnceBody(aiohttp.BytesPayload):
    """A body that leaves once: aiohttp sends a DELETE again when the server hangs up on it."""

    _left = False

    async def write(self, writer: aiohttp.abc.AbstractStreamWriter) -> None:
        if self._left:
            raise ConnectionAbortedError("the request had been sent, and is sent only once")
        self._left = True
        await super().write(writer)

    async def write_with_length(
        self, writer: aiohttp.abc.AbstractStreamWriter, content_length: int | None
    ) -> None:
        await self.write(writer)


def is_success(response: aiohttp.ClientResponse) -> bool:
    """Return whether the status is 2xx."""
    return 200 <= response.status < 300


async def read(response: aiohttp.ClientResponse) -> RawResponse:
    """Read an answer to its end."""
    body = await response.read()
    return RawResponse(
        response.status, response.reason or "", Headers(response.headers.items()), body
    )


@contextlib.contextmanager
def mapped(call: Call) -> Generator[None]:
    """Name failures in the middle of a body."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise connection_failure(f"{call} failed: ", error) from None


def _failure(call: Call, error: BaseException, *, closed: bool) -> SaynaError | None:
    """Return what an error in the middle of a call is to the caller; None leaves it as it is."""
    if closed and isinstance(error, Exception):
        # aiohttp tells it in several ways: the connector is gone, or the session is closed.
        return SaynaConnectionError(f"{call} failed: the aiohttp session was closed")
    if isinstance(error, aiohttp.ClientError | OSError):
        return connection_failure(f"{call} failed: ", error)
    if isinstance(error, ValueError | TypeError):
        return SaynaValidationError(f"{call} cannot be made: {error}")
    return None


def _pause(
    call: Call, attempt: int, failure: SaynaError | None, deadline: float, *, sent: bool
) -> float | None:
    if failure is None or attempt >= call.retries:
        return None
    if not retries.may_retry(call.method, call.endpoint, failure, sent=sent):
        return None
    pause = retries.delay(attempt, failure)
    return pause if asyncio.get_running_loop().time() + pause < deadline else None

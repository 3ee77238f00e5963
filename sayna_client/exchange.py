"""One REST call: sent, sent again when that is right, answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from sayna_client import answers, retries
from sayna_client.answers import Headers, RawResponse
from sayna_client.errors import SaynaError
from sayna_client.log import logger
from sayna_client.network import Attempt, Network, connection_failure
from sayna_client.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, within which limit (seconds, retries included), and how often again."""

    method: str
    endpoint: str
    sent: Mapping[str, Any]
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
                if pause is None:
                    break
                if response is not None:
                    response.release()
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
        sending = Attempt(once=retries.once(call.method, call.endpoint))
        response = None
        try:
            response = await self._network.request(
                session, call.method, call.endpoint, sending, call.sent
            )
            if is_success(response):
                return response, None, True
            raw = await read(response)
        except (aiohttp.ClientError, OSError) as error:
            if response is not None:
                response.close()
            return None, connection_failure(f"{call} failed: ", error), sending.sent
        except BaseException:
            if response is not None:
                response.close()
            raise
        return response, answers.failure(raw, call.endpoint, time.time()), True


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


def _pause(
    call: Call, attempt: int, failure: SaynaError | None, deadline: float, *, sent: bool
) -> float | None:
    if failure is None or attempt >= call.retries:
        return None
    if not retries.may_retry(call.method, call.endpoint, failure, sent=sent):
        return None
    pause = retries.delay(attempt, failure)
    return pause if asyncio.get_running_loop().time() + pause < deadline else None

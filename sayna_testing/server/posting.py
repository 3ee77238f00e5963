"""What the fake sends elsewhere over HTTP: its auth service and SIP webhooks."""

from __future__ import annotations

import aiohttp
from multidict import CIMultiDict

from sayna_testing.clock import outside
from sayna_testing.server.rest import Headers, Limits, Posted, PostError

_NOT_SENT = ("Accept-Encoding",)
"""What aiohttp would add and Sayna does not send (rest.md 15.4)."""

_REDIRECTS = 10 + 1
"""Ten are followed (rest.md 4.3, 15.4); aiohttp counts the one at which it gives up."""


async def post(url: str, headers: Headers, body: bytes, limits: Limits) -> Posted:
    """POST over a real socket, within limits at real speed, redirects followed.

    Raises PostError when no answer came.
    """
    timeout = aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect)
    with outside(f"POST {url}"):
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, skip_auto_headers=_NOT_SENT) as session,
                session.post(
                    url, data=body, headers=CIMultiDict(headers), max_redirects=_REDIRECTS
                ) as response,
            ):
                return Posted(response.status, await response.read())
        except TimeoutError as error:
            raise PostError("operation timed out") from error
        except aiohttp.ClientError as error:
            raise PostError(str(error)) from error

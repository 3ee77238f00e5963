"""The way to the server: addresses, headers, proxy, TLS, sessions; and what failures are called."""

from __future__ import annotations

import ssl as _ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from sayna_client.errors import SaynaConnectionError
from sayna_client.origins import connector_for
from sayna_client.urls import Targets, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Everything about the way to the server, none of it shown in a repr."""

    targets: Targets = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    proxy: str | None = field(default=None, repr=False)
    ssl: _ssl.SSLContext | bool = True
    session: aiohttp.ClientSession | None = None

    def request_headers(self) -> dict[str, str]:
        """Return the headers of every request, the bearer of rest.md 4.2 among them."""
        bearer = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {**bearer, **self.headers}

    def open_session(self, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
        """Make an aiohttp session of our own; the caller closes it."""
        return aiohttp.ClientSession(
            connector=connector_for(self.targets.websocket),
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=list(traces),
        )

    async def request(
        self, session: aiohttp.ClientSession, method: str, endpoint: str, **sent: Any
    ) -> aiohttp.ClientResponse:
        """Send one request."""
        return await session.request(
            method,
            self.targets.endpoint(endpoint),
            headers={"Content-Type": "application/json", **self.request_headers()},
            proxy=self.proxy,
            ssl=self.ssl,
            **sent,
        )


def never_left(error: BaseException) -> bool:
    """Return whether a request failed before there was a connection to send it over."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def connection_failure(prefix: str, error: BaseException) -> SaynaConnectionError:
    """Turn a failure underneath into ours; its cause is a copy without headers and user info."""
    # Its frames stay behind: headers and bodies are among their arguments.
    cause = _without_secrets(error).with_traceback(None)
    cause.__cause__ = cause.__context__ = None
    failure = SaynaConnectionError(
        f"{prefix}{cause}",
        cause,
        status_code=error.status if isinstance(error, aiohttp.ClientResponseError) else None,
    )
    failure.__cause__ = cause
    return failure


def _without_secrets(error: BaseException) -> BaseException:
    match error:
        case aiohttp.ClientResponseError():
            no_headers = CIMultiDictProxy(CIMultiDict[str]())
            url = type(error.request_info.url)(shown(str(error.request_info.url)))
            info = aiohttp.RequestInfo(url, error.request_info.method, no_headers, url)
            return type(error)(
                info, (), status=error.status, message=error.message, headers=error.headers
            )
        case aiohttp.ClientConnectorError():
            return ConnectionError(str(error))
        case aiohttp.ConnectionTimeoutError():
            return TimeoutError("no connection in time")
        case aiohttp.ClientConnectionError(__cause__=BaseException() as reason):
            # aiohttp puts the whole URL, or the proxy with its password, into its own text.
            return _without_secrets(reason)
        case _:
            return error

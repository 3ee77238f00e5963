"""REST over aiohttp: send, read, map errors."""

from __future__ import annotations

import json as _json
from typing import Any

import aiohttp

from sayna_client.errors import SaynaServerError
from sayna_client.network import Network, connection_failure
from sayna_client.urls import targets


class SaynaHttpClient:
    """Requests to one server; the session is made on first use and again after `close()`."""

    def __init__(
        self, base_url: str, api_key: str | None = None, *, network: Network | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.api_key = api_key
        self._network = network or Network(targets=targets(base_url), api_key=api_key)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, endpoint: str, params: dict[str, Any] | None = None) -> Any:
        """GET an endpoint and return its JSON."""
        return await self._json("GET", endpoint, params=params)

    async def close(self) -> None:
        """Close the session; a later request makes another."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _json(self, method: str, endpoint: str, **kwargs: Any) -> Any:
        if self._session is None:
            self._session = self._network.open_session()
        try:
            async with self._session.request(
                method,
                self._network.targets.endpoint(endpoint),
                headers={"Content-Type": "application/json", **self._network.request_headers()},
                **kwargs,
            ) as response:
                body = await response.read()
                if response.status >= 400:
                    raise SaynaServerError(body.decode(), response.status, endpoint)
        except aiohttp.ClientError as error:
            failure = connection_failure(f"{method} {endpoint} failed: ", error)
        else:
            return _json.loads(body)
        raise failure

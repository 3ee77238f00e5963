"""aiohttp sessions for REST: one per event loop, closed by us or together with its loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from weakref import WeakKeyDictionary

import aiohttp

from sayna_client.network import Network


class _Kept:
    """A session, what keeps it open, and how many calls are using it."""

    def __init__(self, session: aiohttp.ClientSession, keeper: AsyncGenerator[object]) -> None:
        self.session = session
        self.keeper = keeper
        self.active = 0
        self.idle = asyncio.Event()


class Sessions:
    """Lends sessions to calls; one of the application is lent as it is and never closed."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncGenerator[aiohttp.ClientSession]:
        """Lend a session of the running loop for one call."""
        if self._network.session is not None:
            yield self._network.session
            return
        kept = await self._open()
        kept.active += 1
        kept.idle.clear()
        try:
            yield kept.session
        finally:
            kept.active -= 1
            if not kept.active:
                kept.idle.set()

    async def close(self, limit: float) -> None:
        """Close the running loop's session, giving calls under way up to `limit` seconds."""
        kept = self._kept.pop(asyncio.get_running_loop(), None)
        if kept is None:
            return
        try:
            if kept.active:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(limit):
                        await kept.idle.wait()
        finally:
            await kept.keeper.aclose()

    async def _open(self) -> _Kept:
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            keeper = _keep(self._network)
            kept = self._kept[loop] = _Kept(await anext(keeper), keeper)
        return kept


async def _keep(network: Network) -> AsyncGenerator[aiohttp.ClientSession]:
    """Hold a session open; a loop that shuts down closes its generators, and so the session."""
    session = network.open_session()
    try:
        yield session
    finally:
        await session.close()

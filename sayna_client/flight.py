"""Work that several callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Flight:
    """One run of a coroutine, joined by any number of callers; cancelled with the last of them."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._callers = 0
        self._delivered = False

    @property
    def done(self) -> bool:
        """Whether the work is over, or never will be because its event loop is gone."""
        return self._task.done() or self._task.get_loop().is_closed()

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the outcome and nobody got it."""
        return not self._callers and not self._delivered

    async def join(self) -> None:
        """Wait for the work; raise what it raised."""
        self._callers += 1
        try:
            await asyncio.wait([self._task])
        except asyncio.CancelledError:
            if self._callers == 1 and not self._task.done():
                await self.cancel()
            raise
        finally:
            self._callers -= 1
        self._task.result()
        self._delivered = True

    async def cancel(self) -> None:
        """Cancel the work and wait until it has cleaned up."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()

"""Limits on how many do the same thing at once, in every loop on its own."""

import asyncio
import weakref


class Places:
    """So many places for each key; `async with places(key)` waits for a free one."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]
        ] = weakref.WeakKeyDictionary()

    def __call__(self, key: str) -> asyncio.Semaphore:
        """The places of this key in the running loop."""
        semaphores = self._taken.setdefault(asyncio.get_running_loop(), {})
        return semaphores.setdefault(key, asyncio.Semaphore(self._count))

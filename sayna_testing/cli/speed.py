"""An event loop on which time runs faster than real time."""

from __future__ import annotations

import asyncio
import selectors


class _Hurried(selectors.DefaultSelector):
    """Waits a fraction of what it is asked to wait."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._speed)


class FastLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds are `speed` times shorter; sockets and threads are as they are."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        super().__init__(_Hurried(speed))

    def time(self) -> float:
        """Seconds on this loop's own clock."""
        return super().time() * self._speed

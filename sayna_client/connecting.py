"""What `connect()` returns: something to await, or to enter with `async with`."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

C = TypeVar("C", bound="AbstractAsyncContextManager[Any]")


class Connecting(Coroutine[Any, Any, None], Generic[C]):
    """Awaited it connects; entered with `async with` it also disconnects at the end."""

    def __init__(self, work: Coroutine[Any, Any, None], client: C) -> None:
        self._work = work
        self._client = client

    def __await__(self) -> Generator[Any, Any, None]:
        return self._work.__await__()

    def send(self, value: object, /) -> Any:
        """Go on, as a coroutine."""
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an exception, as a coroutine."""
        return self._work.throw(*error)

    def close(self) -> None:
        """Give up, as a coroutine."""
        self._work.close()

    async def __aenter__(self) -> C:
        await self._work
        return self._client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, traceback)

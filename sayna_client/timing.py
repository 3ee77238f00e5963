"""Time limits that say what was not done in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from sayna_client.errors import SaynaTimeoutError


@contextlib.asynccontextmanager
async def time_limit(seconds: float | None, message: str) -> AsyncGenerator[None]:
    """Limit a block; None is no limit.

    Raises:
        SaynaTimeoutError: the limit passed; other TimeoutErrors go through as they are.
    """
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise SaynaTimeoutError(f"{message} within {seconds:g} s") from None

"""Waiting for the journal, from any loop, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sayna_testing.expectations import only_ours
from sayna_testing.server.journal import Entry, Journal, Match

__tracebackhide__ = only_ours


async def until(
    journal: Journal,
    match: Match,
    *,
    expected: str,
    timeout: float,
    unmet: Callable[[], Exception],
    start: int = 0,
) -> Entry:
    """The first match from number `start` on; raises what `unmet` makes after `timeout` seconds.

    The journal remembers that somebody waited for what `expected` says.
    """
    future = journal.first(match, start=start)
    with journal.waiting(expected):
        if future.done():
            return future.result()
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise unmet() from None
        finally:
            journal.forget(future)

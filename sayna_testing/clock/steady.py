"""Real time that a frozen test cannot freeze."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, cast

__all__ = ["Real", "steady"]


def _unfrozen() -> Callable[[], float]:
    """`time.monotonic`, also when freezegun is at work while this is imported."""
    return getattr(sys.modules.get("freezegun.api"), "real_monotonic", time.monotonic)


class Real:
    """The real monotonic clock, in seconds.

    Freezers replace module-level names and leave class attributes alone.
    """

    monotonic = staticmethod(_unfrozen())


def _real_loop_time(_loop: asyncio.AbstractEventLoop) -> float:
    return Real.monotonic()


_stock_loop_time = asyncio.BaseEventLoop.time
_lock = threading.Lock()
_users: list[object] = []


@contextlib.contextmanager
def steady() -> Generator[None]:
    """Keep `loop.time` on the real monotonic clock, so that a plain `freeze_time` stops no sleep.

    Process-wide while any user is inside; re-entrant.
    """
    user = object()
    with _lock:
        _users.append(user)
        _replace_loop_time(_stock_loop_time, _real_loop_time)
    try:
        yield
    finally:
        with _lock:
            _users.remove(user)
            if not _users:
                _replace_loop_time(_real_loop_time, _stock_loop_time)


def _replace_loop_time(old: Callable[..., float], new: Callable[..., float]) -> None:
    # freezegun's real_asyncio leaves a copy of the inherited method in a subclass.
    classes: list[Any] = [asyncio.BaseEventLoop]
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        if cast("dict[str, object]", vars(cls)).get("time") is old:
            cls.time = new

"""Where in the user's code something was asked for."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sysconfig
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

__all__ = ["caller", "shown"]

_LIBRARIES: Final = tuple(
    os.path.realpath(path) + os.sep
    for path in (
        *sysconfig.get_paths().values(),
        os.path.dirname(__file__),
        os.path.join(os.path.dirname(os.path.dirname(__file__)), "sayna_client"),
    )
)


def caller() -> str:
    """The innermost line on the stack that belongs to no library, as `tests/test_agent.py:12`.

    Where a task begins, the stack goes on with the lines that made its coroutine, if that
    remembers them.
    """
    for filename, line in _stack():
        if path := shown(filename):
            return f"{path}:{line}"
    return "unknown place"


def _stack() -> Iterator[tuple[str, int]]:
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        if frame.f_code is asyncio.Handle._run.__code__:
            yield from _origin()
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def _origin() -> Iterator[tuple[str, int]]:
    task = asyncio.current_task()
    coroutine: Any = task.get_coro() if task is not None else None
    for filename, line, _ in getattr(coroutine, "cr_origin", None) or ():
        yield filename, line


@functools.lru_cache(maxsize=4096)
def shown(filename: str) -> str:
    """The path as it is shown to the user, empty for library code."""
    path = os.path.realpath(filename)
    if filename.startswith("<") or path.startswith(_LIBRARIES):
        return ""
    inside = path.startswith(os.getcwd() + os.sep)
    return os.path.relpath(path) if inside else path

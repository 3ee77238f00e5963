"""Where in the user's code something was asked for."""

from __future__ import annotations

import functools
import inspect
import os
import sysconfig
from types import FrameType
from typing import Final

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
    """The innermost line on the stack that belongs to no library, as `tests/test_agent.py:12`."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        path = shown(frame.f_code.co_filename)
        if path:
            return f"{path}:{frame.f_lineno}"
        frame = frame.f_back
    return "unknown place"


@functools.lru_cache(maxsize=4096)
def shown(filename: str) -> str:
    """The path as it is shown to the user, empty for library code."""
    path = os.path.realpath(filename)
    if filename.startswith("<") or path.startswith(_LIBRARIES):
        return ""
    inside = path.startswith(os.getcwd() + os.sep)
    return os.path.relpath(path) if inside else path

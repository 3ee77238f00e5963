"""What goes wrong with virtual time, told with the stacks of who waits.

RuntimeError
└── VirtualTimeError       the loop cannot be driven at all
    ├── VirtualDeadlock    a wait that nothing can end
    └── VirtualRunaway     virtual time passed its limit
"""

from __future__ import annotations

import asyncio
import linecache
from collections.abc import Iterator
from types import FrameType

__all__ = ["VirtualDeadlock", "VirtualRunaway", "VirtualTimeError", "waiting"]


class VirtualTimeError(RuntimeError):
    """Virtual time cannot go on."""


class VirtualDeadlock(VirtualTimeError):  # noqa: N818 - named by what happened
    """Every task waits, no timer is set and nothing is owed from outside the loop."""


class VirtualRunaway(VirtualTimeError):  # noqa: N818 - named by what happened
    """Virtual time would pass its limit: something waits again and again, or far too long."""


def waiting(loop: asyncio.AbstractEventLoop) -> str:
    """Who waits for what: every task of `loop`, from its outermost await to its innermost."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return "\n".join(line for task in tasks for line in _stack(task)) or "no task is left"


def _stack(task: asyncio.Task[object]) -> Iterator[str]:
    yield f"{task.get_name()}:"
    awaitable: object = task.get_coro()
    while awaitable is not None:
        frame = _either(awaitable, "cr_frame", "gi_frame", "ag_frame")
        if isinstance(frame, FrameType):
            code, line = frame.f_code, frame.f_lineno
            source = linecache.getline(code.co_filename, line).strip()
            yield f"  {code.co_filename}:{line} in {code.co_name}: {source}"
        awaitable = _either(awaitable, "cr_await", "gi_yieldfrom", "ag_await")


def _either(awaitable: object, *names: str) -> object:
    """What a coroutine, a generator or an asynchronous generator calls each in its own way."""
    return next((value for name in names if (value := getattr(awaitable, name, None))), None)

"""What goes wrong with virtual time, told with the stacks of who waits.

RuntimeError
└── VirtualTimeError       the loop cannot be driven at all
    ├── VirtualDeadlock    a wait that nothing can end
    └── VirtualRunaway     virtual time passed its limit
"""

from __future__ import annotations

import asyncio
import io

__all__ = ["VirtualDeadlock", "VirtualRunaway", "VirtualTimeError", "waiting"]


class VirtualTimeError(RuntimeError):
    """Virtual time cannot go on."""


class VirtualDeadlock(VirtualTimeError):  # noqa: N818 - named by what happened
    """Every task waits, no timer is set and nothing is owed from outside the loop."""


class VirtualRunaway(VirtualTimeError):  # noqa: N818 - named by what happened
    """Virtual time would pass its limit: something waits again and again, or far too long."""


def waiting(loop: asyncio.AbstractEventLoop) -> str:
    """Who waits for what: the stack of every task of `loop`."""
    out = io.StringIO()
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in tasks:
        out.write("\n")
        task.print_stack(file=out)
        awaited = _awaited(task)
        if awaited:
            out.write(f"  waits for {awaited}\n")
    return out.getvalue() if tasks else "\nno task is left in the loop"


def _awaited(task: asyncio.Task[object]) -> str:
    """The innermost awaitable, where Python shows it."""
    awaitable: object = task.get_coro()
    while (inner := getattr(awaitable, "cr_await", None)) is not None:
        awaitable = inner
    return repr(awaitable) if awaitable is not task.get_coro() else ""

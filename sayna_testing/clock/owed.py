"""What a loop is owed from outside: while anything is, virtual time runs at real speed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import TypeAlias

from sayna_testing.clock.descriptors import other_ends
from sayna_testing.clock.threads import other_threads

__all__ = ["Probe", "add_probe", "outside", "owed"]

Probe: TypeAlias = Callable[[asyncio.AbstractEventLoop], str | None]

_probes: dict[object, Probe] = {object(): other_threads, object(): other_ends}


def add_probe(probe: Probe) -> Callable[[], None]:
    """Ask `probe` before every jump of virtual time; returns the undo.

    It gets the loop about to jump and returns what that loop is owed from outside, or None.
    It is called in the loop's thread, before every jump, and must not wait.
    """
    key = object()
    _probes[key] = probe

    def remove() -> None:
        _probes.pop(key, None)

    return remove


@contextlib.contextmanager
def outside(reason: str) -> Generator[None]:
    """Hold virtual time to real speed: `reason` is at work for us outside of the loop."""
    remove = add_probe(lambda _loop: reason)
    try:
        yield
    finally:
        remove()


def owed(loop: asyncio.AbstractEventLoop) -> str | None:
    """What `loop` is owed from outside, or None when only its own timers can wake it."""
    for probe in tuple(_probes.values()):
        reason = probe(loop)
        if reason is not None:
            return reason
    return None

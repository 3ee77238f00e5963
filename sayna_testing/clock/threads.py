"""Threads that work for a loop: executors, anyio's workers, subprocess watchers, the test's own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayna_testing.clock.steady import Real
from sayna_testing.where import caller, shown

__all__ = ["fake_at_work", "forget", "noting_run", "noting_start", "noting_wrap", "other_threads"]

# How long a daemon counts as work for us without other evidence, in seconds: time to come up and
# connect. After that a connection or a session speaks for it, and an idle one holds nobody.
_COMING_UP: Final = 1.0

# How asyncio names the threads it starts by itself.
_WATCHERS: Final[Mapping[Callable[[str], bool], str]] = {
    lambda name: name.startswith("asyncio-waitpid-"): "a subprocess",
    lambda name: name.endswith("(_do_shutdown)"): "the end of the executor's threads",
}


@dataclass(eq=False, slots=True)
class _Guest:
    """A thread that the test started, or a loop that another thread runs."""

    reason: str
    until: float
    thread: threading.Thread


_futures: dict[asyncio.Future[Any], str] = {}
_own: dict[asyncio.Future[Any], None] = {}
_guests: dict[_Guest, None] = {}


def noting_wrap(wrap: Callable[..., asyncio.Future[Any]]) -> Callable[..., asyncio.Future[Any]]:
    """`asyncio.wrap_future`, which every executor's work passes through, taking notes."""

    def wrap_future(
        future: concurrent.futures.Future[Any] | asyncio.Future[Any],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Future[Any]:
        wrapped = wrap(future, loop=loop)
        if wrapped is not future:
            _note(wrapped)
        return wrapped

    return wrap_future


def noting_start(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """`threading.Thread.start`, taking notes of threads that the test starts itself."""

    def noted(thread: threading.Thread) -> None:
        start(thread)
        frame = inspect.currentframe()
        if frame is not None and frame.f_back is not None:  # pragma: no branch - we were called
            path = shown(frame.f_back.f_code.co_filename)
            if path:
                reason = f"thread {thread.name!r} (started at {path}:{frame.f_back.f_lineno})"
                _guests[_Guest(reason, _patience(thread), thread)] = None

    return noted


def noting_run(run: Callable[[Any], None]) -> Callable[[Any], None]:
    """A loop's `run_forever` in another thread, taking notes while it runs."""

    def noted(loop: asyncio.AbstractEventLoop) -> None:
        thread = threading.current_thread()
        reason = f"the event loop of thread {thread.name!r}"
        guest = _Guest(reason, _patience(thread), thread)
        if not thread.name.startswith("sayna-"):  # our own server: its sessions tell what it owes
            _guests[guest] = None
        try:
            run(loop)
        finally:
            _guests.pop(guest, None)

    return noted


def forget() -> None:
    """Drop all notes."""
    _futures.clear()
    _own.clear()
    _guests.clear()


def other_threads(loop: asyncio.AbstractEventLoop) -> str | None:
    """What another thread is doing for `loop`, if anything."""
    _prune(_futures)
    for future, reason in _futures.items():
        if future.get_loop() is loop:
            return reason
    now = Real.monotonic()
    for guest in tuple(_guests):
        if guest.thread.is_alive() and now < guest.until:
            return guest.reason
        _guests.pop(guest, None)
    return _worker(loop) if threading.active_count() > 1 else None


def fake_at_work(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the fake server computes something for `loop` in a thread, as if in no time."""
    _prune(_own)
    return any(future.get_loop() is loop for future in _own)


def _prune(futures: dict[asyncio.Future[Any], Any]) -> None:
    for future in [future for future in futures if future.done()]:
        del futures[future]


def _note(future: asyncio.Future[Any]) -> None:
    """Note who asked for it; our own waits are told apart: they wait for what happens in a loop."""
    asked_by = _callers()
    if next(asked_by, "").startswith("sayna_testing."):
        return
    asker = next((name for name in asked_by if not name.startswith("asyncio.")), "")
    if asker.startswith("sayna_testing."):
        _own[future] = None
    else:
        _futures[future] = f"work in another thread (asked for at {caller()})"


def _callers() -> Iterator[str]:
    """The modules on the stack that are not this one, the innermost first."""
    frame = inspect.currentframe()
    while frame is not None:  # pragma: no branch - who asks ends it before the stack does
        name: str = frame.f_globals.get("__name__", "")
        if name != __name__:
            yield name
        frame = frame.f_back


def _patience(thread: threading.Thread) -> float:
    return Real.monotonic() + _COMING_UP if thread.daemon else math.inf


def _worker(loop: asyncio.AbstractEventLoop) -> str | None:
    for thread in threading.enumerate():
        # anyio keeps its idle workers in a list that every one of them knows.
        idle = getattr(thread, "idle_workers", ())
        if getattr(thread, "loop", None) is loop and thread not in idle:
            return "a worker thread of anyio"
        for matches, reason in _WATCHERS.items():
            if matches(thread.name):
                return reason
    return None

"""What a test left open on a fake, with the line that opened it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sayna_testing.where import shown

if TYPE_CHECKING:
    from sayna_testing.fake import FakeSaynaServer
    from sayna_testing.server.memory import MemoryConnector

__all__ = ["SaynaLeakWarning", "leaks", "lost", "told_at_the_end_of_a_loop"]

# How long a client elsewhere may take to close its socket, in seconds.
_GRACE: Final = 0.05

# How many lines coroutines remember. The second is the test's own for `await client.connect()`;
# each more would cost a call with a busy microphone 5 % of its time.
_ORIGINS: Final = 2


class SaynaLeakWarning(UserWarning):  # Python hides a ResourceWarning unless asked
    """A test ended with a client, a socket or a task still open."""


def leaks(server: FakeSaynaServer, ended: Sequence[str] = ()) -> list[str]:
    """A line for each client, socket and task that is still open, and for what a loop `ended`."""
    found = [*_clients(server.connectors), *_sockets(server), *ended, *_tasks(server)]
    return list(dict.fromkeys(found))


def lost(server: FakeSaynaServer, ended: Sequence[str]) -> list[str]:
    """A line for each leak that is certain already, since the loop of it is gone.

    Of all else a fixture of the test may still take care.
    """
    gone = [connector for connector in server.connectors if connector.loop.is_closed()]
    return list(dict.fromkeys([*_clients(gone), *ended]))


@contextlib.contextmanager
def told_at_the_end_of_a_loop(server: FakeSaynaServer, found: list[str]) -> Generator[None]:
    """Let coroutines remember the lines that made them, and tell what a runner has to end.

    A loop may end before the server of the test does. Its tasks are gone with it then, and so are
    clients that close themselves when that happens, as the SDK's do.
    """
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(max(depth, _ORIGINS))
    runners: Any = asyncio.runners
    cancel_all = runners._cancel_all_tasks

    def tell(loop: asyncio.AbstractEventLoop) -> None:
        found.extend(_clients(each for each in server.connectors if each.loop is loop))
        found.extend(_started_by_test(loop))
        cancel_all(loop)

    runners._cancel_all_tasks = tell
    try:
        yield
    finally:
        runners._cancel_all_tasks = cancel_all
        sys.set_coroutine_origin_tracking_depth(depth)


def _clients(connectors: Iterable[MemoryConnector]) -> Iterator[str]:
    for connector in connectors:
        if not connector.closed:
            yield f"the client opened at {connector.opened_at} was never closed"


def _sockets(server: FakeSaynaServer) -> Iterator[str]:
    """Sessions of clients that came over TCP; one in memory goes with its client."""
    loops = {connector.loop for connector in server.connectors}
    end = time.monotonic() + _GRACE
    for session in server.sessions:
        if session.loop in loops:
            continue
        while not session.closed and time.monotonic() < end:
            time.sleep(0.001)
        if not session.closed:
            yield f"the socket of session {session.key}, which came over TCP, was never closed"


def _tasks(server: FakeSaynaServer) -> Iterator[str]:
    for loop in {connector.loop for connector in server.connectors}:
        if not loop.is_closed() and not loop.is_running():
            yield from _started_by_test(loop)


def _started_by_test(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """Tasks of a loop that a line of the test or of the agent started, not a library."""
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        coroutine: Any = task.get_coro()
        for filename, line, _ in (getattr(coroutine, "cr_origin", None) or ())[:1]:
            if shown(filename):
                name = getattr(coroutine, "__qualname__", task.get_name())
                yield f"the task {name} started at {shown(filename)}:{line} never ended"

"""One test and the fakes it uses: its verdict, its failure section, its leaks."""

from __future__ import annotations

import contextlib
import itertools
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sayna_testing._pytest.choice import Choice
from sayna_testing._pytest.leaks import SaynaLeakWarning, leaks, lost
from sayna_testing._pytest.watch import ErrorWatch
from sayna_testing.clock import real_time, virtual_time
from sayna_testing.report.pytest_run import Recorded
from sayna_testing.report.text import timeline

if TYPE_CHECKING:
    from sayna_testing.clock import Clock
    from sayna_testing.fake import FakeSaynaServer
    from sayna_testing.server.journal import Entry

__all__ = ["Run", "SaynaFaultWarning"]


class SaynaFaultWarning(UserWarning):
    """A test planned a fault that was not met as often, so it did not test what it says."""


@dataclass(frozen=True, slots=True)
class _Used:
    """A server, and where its journal was when the test came to it."""

    server: FakeSaynaServer
    start: int

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.server.journal.since(self.start)


class Run:
    """What one test does with its fakes, from the first fixture to the last report."""

    def __init__(
        self,
        choice: Choice,
        warn: Callable[[Warning], None],
        shared: Iterable[FakeSaynaServer] = (),
    ) -> None:
        self.choice = choice
        self._warn = warn
        self.clock: Clock | None = None
        self.failed = False
        self.told = False
        self.ended_by_force: list[str] = []
        self.watch = ErrorWatch()
        self._own: FakeSaynaServer | None = None
        self._used = [_Used(server, len(server.journal)) for server in shared]

    @contextlib.contextmanager
    def ticking(self) -> Generator[Clock]:
        """The clock of the test; whoever comes first starts and stops it."""
        if self.clock is not None:
            yield self.clock
        elif self.choice.clock == "real":
            with real_time() as self.clock:
                yield self.clock
        else:
            with virtual_time(max_virtual_time=self.choice.max_virtual_time) as self.clock:
                yield self.clock

    def uses(self, server: FakeSaynaServer) -> None:
        """The test has a server of its own from here on."""
        self._used.append(_Used(server, 0))
        self._own = server

    def verdict(self, shared: Iterable[FakeSaynaServer]) -> None:
        """Fail a test that passed and should not have.

        `shared` are the servers that outlive the test; it may have made some of them.
        """
        known = [used.server for used in self._used]
        self._used += [_Used(server, 0) for server in shared if server not in known]
        for what, error in self.watch.errors:
            lines = "".join(traceback.format_exception(error))
            pytest.fail(f"{what}: {error}\n\n{lines}", pytrace=False)
        refused = list(self._refused()) if self.choice.strict else []
        if refused:
            pytest.fail(
                "strict: the fake server answered with errors that nothing allows "
                "(server.allow_errors):\n" + "\n".join(refused),
                pytrace=False,
            )
        unused = [fault for used in self._used for fault in used.server.faults.unused]
        if unused and self.choice.strict:
            pytest.fail(
                "strict: planned faults were not used up: " + ", ".join(unused), pytrace=False
            )
        if self.choice.strict and self._own is not None:
            _fail_on(lost(self._own, self.ended_by_force))
        for fault in unused:
            self._warn(SaynaFaultWarning(f"this fault was not used up: {fault}"))

    def check_leaks(self, server: FakeSaynaServer) -> None:
        """Tell what is still open of a server about to close: a warning, a failure when strict."""
        if self.failed:  # it had no chance to clean up
            return
        found = leaks(server, self.ended_by_force)
        if self.choice.strict:
            _fail_on(found)
        for leak in found:
            self._warn(SaynaLeakWarning(leak))

    def section(self) -> str:
        """What a failure shows beside the error itself; empty when no fake was used."""
        return "\n".join(line for used in self._used for line in self._told(used))

    def recorded(self) -> Iterator[Recorded]:
        """What the page of the run draws."""
        for used in self._used:
            yield Recorded(used.entries, used.server.journal.waits)

    def properties(self) -> Iterator[tuple[str, str]]:
        """What stands in JUnit files."""
        if self._used:
            yield "sayna_sessions", str(sum(len(used.server.sessions) for used in self._used))
            yield "sayna_seed", ", ".join(str(used.server.settings.seed) for used in self._used)
        if self.clock is not None:
            yield "sayna_virtual_seconds", f"{self.clock.elapsed:.3f}"

    def _refused(self) -> Iterator[str]:
        for used in self._used:
            entries = used.entries
            for entry in entries:
                if entry.error and not used.server.allow_errors.covers(entry):
                    yield from timeline([entry, *_answer(entry, entries)])

    def _told(self, used: _Used) -> Iterator[str]:
        entries = used.entries
        if not entries and len(self._used) > 1:
            return
        yield f"{used.server!r}  seed {used.server.settings.seed}{self._time()}"
        if self.clock is not None:
            for reason, seconds in self.clock.holds:
                yield f"virtual time waited {seconds:.3f} s for {reason}"
        yield from timeline(entries)

    def _time(self) -> str:
        return "" if self.clock is None else f"  clock at {self.clock.elapsed:.3f} s"


def _answer(asked: Entry, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The frame that refused one of the client's; a REST exchange holds its answer."""
    frames = (e for e in entries if e.index > asked.index and e.session == asked.session != "")
    yield from itertools.islice((e for e in frames if e.flow == "<" and "error" in e.kind), 1)


def _fail_on(found: list[str]) -> None:
    if found:
        pytest.fail("left open: " + "\n           ".join(found), pytrace=False)

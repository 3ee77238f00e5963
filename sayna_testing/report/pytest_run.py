"""`--sayna-report`: the hooks that gather the calls of a pytest run into one page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sayna_testing import report as drawing
from sayna_testing.expectations import ExpectationError
from sayna_testing.report.call import Call, Status, expectations
from sayna_testing.server.journal import Entry, Wait

_STATUS: dict[str, Status] = {"passed": "passed", "failed": "failed", "skipped": "not run"}
_LONGEST = 12
"""Lines of a reason that the index shows."""


class Recorded(NamedTuple):
    """What one server saw during one test; waits of earlier tests do no harm."""

    entries: Sequence[Entry]
    waits: Sequence[Wait]


class _Verdict(NamedTuple):
    status: Status
    error: BaseException | None


_VERDICT = pytest.StashKey[_Verdict]()


class RunReport:
    """Draws the calls of each test where it ran, and writes the page where the run was started.

    `recorded` says what the servers of a test saw. The drawn calls travel with the test's last
    report, so processes of xdist need nothing more.
    """

    def __init__(
        self,
        config: pytest.Config,
        path: Path,
        recorded: Callable[[pytest.Item], Iterable[Recorded]],
    ) -> None:
        self._path = path
        self._recorded = recorded
        self._parts: list[str] = []
        self._writes = not hasattr(config, "workerinput")
        self._told = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Draw a test's calls when its last phase is over."""
        report = yield
        before = item.stash.get(_VERDICT, _Verdict("not run", None))
        if report.outcome != "passed" or (call.when == "call" and before.error is None):
            error = call.excinfo.value if call.excinfo else None
            item.stash[_VERDICT] = _Verdict(_STATUS[report.outcome], before.error or error)
        if call.when == "teardown":
            vars(report)["sayna_calls"] = [drawing.record(call) for call in self._calls(item)]
        return report

    def _calls(self, item: pytest.Item) -> Iterator[Call]:
        status, error = item.stash.get(_VERDICT, _Verdict("not run", None))
        used = [recorded for recorded in self._recorded(item) if recorded.entries]
        for number, recorded in enumerate(used, 1):
            since = recorded.entries[0].at
            waits = [wait for wait in recorded.waits if wait.end >= since]
            yield Call(
                name=item.nodeid if len(used) == 1 else f"{item.nodeid} (server {number})",
                entries=tuple(recorded.entries),
                status=status,
                reason="" if status == "passed" or error is None else _reason(error),
                failing=_nearest(error),
                expectations=expectations(waits, since),
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what was drawn, in this process or another."""
        self._parts += vars(report).get("sayna_calls", ())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page."""
        if not self._writes:
            return
        try:
            drawing.write(self._path, self._parts)
        except OSError as error:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            self._told = f"--sayna-report: {error}"
        else:
            self._told = f"calls: {len(self._parts)}, report: {self._path}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the page is."""
        terminalreporter.write_sep("-", f"Sayna {self._told}")


def _reason(error: BaseException) -> str:
    """What is worth a place in the index: an unmet expectation without its timeline."""
    if isinstance(error, ExpectationError):
        return error.summary
    lines = f"{type(error).__name__}: {error}".splitlines()
    return "\n".join(lines[:_LONGEST])


def _nearest(error: BaseException | None) -> int | None:
    nearest = error.nearest if isinstance(error, ExpectationError) else None
    return nearest.index if nearest else None

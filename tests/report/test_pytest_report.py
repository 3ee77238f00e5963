"""`--sayna-report` from outside: pytest runs, one page, whatever the number of processes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

CONFTEST = """
from pathlib import Path
import pytest
from sayna_testing.report.pytest_run import Recorded, RunReport
from sayna_testing.server.journal import Journal

def pytest_addoption(parser):
    parser.addoption("--page")

def pytest_configure(config):
    def recorded(item):
        for journal in getattr(item, "journals", ()):
            yield Recorded(journal.entries, journal.waits)
    page = config.getoption("--page")
    config.pluginmanager.register(RunReport(config, Path(page), recorded))

@pytest.fixture
def journal(request):
    journal = Journal()
    request.node.journals = [journal]
    return journal
"""
TESTS = """
import pytest
from sayna_testing.expectations import failure

def spoken(journal):
    return journal.record("speak", flow=">", session="ws-1", data={"text": "For what time?"})

def test_passes(journal):
    spoken(journal)

def test_fails(journal):
    nearest = spoken(journal)
    with journal.waiting("a clear"):
        raise failure("a clear within 5 s", journal, nearest=nearest)

def test_breaks(journal):
    spoken(journal)
    raise RuntimeError("\\n".join(map(str, range(30))))

def test_is_skipped(journal):
    spoken(journal)
    pytest.skip("not today")

def test_needs_no_fake():
    pass

@pytest.fixture
def broken(journal):
    spoken(journal)
    yield
    raise OSError("in teardown")

def test_breaks_late(broken):
    pass

def test_two_servers(request, journal):
    spoken(journal)
    other = type(journal)()
    spoken(other)
    request.node.journals.append(other)
"""


@pytest.fixture
def pages(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_calls=TESTS)
    return pytester


def run(pages: pytest.Pytester, page: str, *more: str) -> pytest.RunResult:
    return pages.runpytest_subprocess("--page", page, "-p", "no:cacheprovider", *more)


def rows(page: Path) -> list[tuple[str, str]]:
    text = page.read_text("utf-8")
    found = re.findall(r'<tr data-status="([\w ]+)">.*?#call-\d+">(.*?)</a>', text, re.DOTALL)
    return [(name.removeprefix("test_calls.py::"), status) for status, name in found]


ROWS = [
    ("test_breaks", "failed"),
    ("test_breaks_late", "failed"),
    ("test_fails", "failed"),
    ("test_passes", "passed"),
    ("test_two_servers (server 1)", "passed"),
    ("test_two_servers (server 2)", "passed"),
    ("test_is_skipped", "not run"),
]


def test_every_test_with_a_fake_is_a_call_with_its_outcome_and_reason(
    pages: pytest.Pytester,
) -> None:
    result = run(pages, "report.html")
    result.stdout.fnmatch_lines(["*Sayna calls: 7, report: report.html*"])
    assert rows(pages.path / "report.html") == ROWS
    text = (pages.path / "report.html").read_text("utf-8")
    reasons = re.findall(r'<pre class="reason">(.*?)</pre>', text, re.DOTALL)
    assert reasons[0].splitlines() == ["RuntimeError: 0", *map(str, range(1, 12))]
    assert reasons[1] == "OSError: in teardown"
    assert "expected: a clear within 5 s\nnearest : agent  &gt; speak" in reasons[2]
    assert reasons[3] == "Skipped: not today"


def test_processes_of_xdist_end_up_in_one_page(pages: pytest.Pytester) -> None:
    run(pages, "report.html", "-p", "xdist", "-n", "2")
    assert rows(pages.path / "report.html") == ROWS


def test_a_page_that_cannot_be_written_is_told_and_fails_the_run(pages: pytest.Pytester) -> None:
    pages.makefile(".txt", taken="")
    result = run(pages, "taken.txt/report.html", "-k", "passes")
    assert result.ret is pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*Sayna --sayna-report: *taken.txt*"])

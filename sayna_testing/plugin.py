"""The pytest door of `sayna_testing`: fixtures, marker, settings.

It loads into the pytest of everybody who has the SDK, so it imports nothing but pytest; the rest
comes with the first fixture that is used.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from faker import Faker

    from sayna_testing._pytest.choice import Choice
    from sayna_testing._pytest.run import Run
    from sayna_testing._pytest.servers import MakeSaynaServer, SharedServers
    from sayna_testing.clock import Clock
    from sayna_testing.fake import FakeSaynaServer
    from sayna_testing.report.pytest_run import Recorded
    from sayna_testing.server.settings import ServerSettings
    from sayna_testing.webhooks import WebhookSigner

_CHOICE: pytest.StashKey[Choice] = pytest.StashKey()
_RUN: pytest.StashKey[Run] = pytest.StashKey()
_SHARED: pytest.StashKey[SharedServers] = pytest.StashKey()
_FIXTURES = frozenset(
    {"sayna_server", "make_sayna_server", "sayna_clock", "sayna_webhook", "sayna_faker"}
)
_MARKER = (
    "sayna(clock, transport, strict, seed, settings): how this test wants its fake Sayna server;"
    ' clock is "virtual" or "real", transport "memory" or "tcp", settings a ServerSettings'
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the ini settings and the one flag."""
    parser.addini(
        "sayna_clock", 'the clock of tests with the fake: "real" or "virtual"', default=""
    )
    parser.addini("sayna_strict", "fail on leaks and uncovered errors", "bool", default=False)
    parser.addini("sayna_seed", "the seed of everything made up", default="")
    parser.addini("sayna_max_virtual_time", "the limit of virtual time in seconds", default="")
    parser.getgroup("sayna").addoption(
        "--sayna-report",
        metavar="FILE.html",
        default=None,
        help="write one page that shows every conversation of the run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and what draws the run if that was asked for."""
    config.addinivalue_line("markers", _MARKER)
    page: str | None = config.getoption("--sayna-report")
    if page is not None:
        from sayna_testing.report.pytest_run import RunReport

        config.pluginmanager.register(RunReport(config, Path(page), _recorded))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Conversation scripts are tests."""
    if not file_path.name.endswith(".sayna.toml"):
        return None
    from sayna_testing._pytest.scripts import ScriptFile

    return ScriptFile.of(parent, file_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse wrong markers and settings, and give tests the virtual clock they asked for."""
    for item in items:
        marked = item.get_closest_marker("sayna") is not None
        names: list[str] = getattr(item, "fixturenames", [])
        if marked or not _FIXTURES.isdisjoint(names):
            names.append(_needed(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although its fakes say it should not."""
    __tracebackhide__ = True
    shared = _shared(item.config)
    with contextlib.ExitStack() as stack:
        if shared and _RUN not in item.stash:
            item.stash[_RUN] = stack.enter_context(_new_run(item))
        result = yield
        run = item.stash.get(_RUN, None)
        if run is not None and not run.failed:
            run.verdict(_shared(item.config))
        return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what happened on the fakes of a test that failed."""
    run = item.stash.get(_RUN, None)
    if run is None:
        return (yield)
    if call.when == "call" and not run.told:
        run.told = True  # subtests make reports of their own
        item.user_properties.extend(run.properties())
    report = yield
    if report.failed:
        run.failed = True
        section = run.section()
        if section:
            report.sections.append(("Sayna", section))
            item.user_properties.append(("sayna_timeline", section))
    return report


@pytest.fixture(scope="session")
def sayna_server_settings() -> ServerSettings:
    """Override this to give the servers of a suite other settings."""
    from sayna_testing.server.settings import ServerSettings

    return ServerSettings()


@pytest.fixture
def _sayna_run(request: pytest.FixtureRequest) -> Iterator[Run]:
    with _new_run(request.node) as run:
        request.node.stash[_RUN] = run
        yield run


@pytest.fixture
def sayna_server(
    request: pytest.FixtureRequest, _sayna_run: Run, sayna_server_settings: ServerSettings
) -> Iterator[FakeSaynaServer]:
    """A fake Sayna server for this test."""
    from sayna_testing._pytest.servers import server_for

    if _sayna_run.choice.clock == "virtual":
        request.getfixturevalue("sayna_clock")
    with server_for(_sayna_run, sayna_server_settings) as server:
        yield server


@pytest.fixture(scope="session")
def make_sayna_server(request: pytest.FixtureRequest) -> Iterator[MakeSaynaServer]:
    """Make fake servers that live until the end of the session, or until they are closed."""
    from sayna_testing._pytest.servers import SharedServers

    with SharedServers() as shared:
        request.config.stash[_SHARED] = shared
        yield shared.make


@pytest.fixture
def sayna_clock(_sayna_run: Run) -> Iterator[Clock]:
    """The clock of this test: virtual, unless its marker says real."""
    from sayna_testing.clock import real_time, virtual_time

    choice = _sayna_run.choice
    if choice.clock == "real":
        clock = real_time()
    else:
        clock = virtual_time(max_virtual_time=choice.max_virtual_time)
    with clock as _sayna_run.clock:
        yield _sayna_run.clock


@pytest.fixture
def sayna_faker(request: pytest.FixtureRequest, _sayna_run: Run) -> Faker:
    """A Faker with the `sayna_…` methods, seeded."""
    from sayna_testing._pytest.faking import faker_for

    return faker_for(request, _sayna_run.choice.seed)


@pytest.fixture
def sayna_webhook(sayna_faker: Faker) -> WebhookSigner:
    """Makes webhooks signed as Sayna signs them; what they are not given is made up."""
    from sayna_testing.webhooks import WebhookSigner

    return WebhookSigner(faker=sayna_faker)


def _needed(item: pytest.Item) -> str:
    """The fixture that puts the choices of a test into force."""
    try:
        return "sayna_clock" if _choice(item).clock == "virtual" else "_sayna_run"
    except pytest.UsageError:
        if not hasattr(item.config, "workerinput"):
            raise
        return "_sayna_run"  # a worker of xdist cannot refuse to run; it raises this once more


def _choice(item: pytest.Item) -> Choice:
    choice = item.stash.get(_CHOICE, None)
    if choice is None:
        from sayna_testing._pytest.choice import choice_of

        choice = item.stash[_CHOICE] = choice_of(item)
    return choice


def _shared(config: pytest.Config) -> Iterable[FakeSaynaServer]:
    """The servers that outlive the test."""
    shared = config.stash.get(_SHARED, None)
    return () if shared is None else tuple(shared)


def _recorded(item: pytest.Item) -> Iterable[Recorded]:
    run = item.stash.get(_RUN, None)
    return () if run is None else run.recorded()


def _new_run(item: pytest.Item) -> Run:
    from sayna_testing._pytest.run import Run

    return Run(_choice(item), _shared(item.config))

"""The pytest door of `sayna_testing`: fixtures, marker, settings.

It loads into the pytest of everybody who has the SDK, so it imports nothing but pytest; the rest
comes with the first fixture that is used.
"""

from __future__ import annotations

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

_running: list[pytest.Item] = []
"""The test that runs now comes last; one of pytester's runs pytest inside of itself."""
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
        names: list[str] = getattr(item, "fixturenames", [])
        if item.get_closest_marker("sayna") is None and _FIXTURES.isdisjoint(names):
            continue
        if _virtual(item) and isinstance(item, pytest.Function):
            # A list of its own: those that differ in a parameter only share theirs.
            item.fixturenames = [*names, "sayna_clock"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know which test runs; forget what its fakes saw once everybody was told."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _forget_run(item)
        _running.pop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin anew: a plugin may run a test that failed once more."""
    _forget_run(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although its fakes say it should not."""
    __tracebackhide__ = True
    if _CHOICE in item.stash or _SHARED in item.config.stash:
        _run_of(item)
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


# Fixtures do without `request` where they can: pytest makes a fixture of it each time, with a look
# at a signature, which takes longer than a server does.


@pytest.fixture(scope="session")
def sayna_server_settings() -> ServerSettings:
    """Override this to give the servers of a suite other settings."""
    from sayna_testing.server.settings import ServerSettings

    return ServerSettings()


@pytest.fixture
def sayna_server(sayna_server_settings: ServerSettings) -> Iterator[FakeSaynaServer]:
    """A fake Sayna server for this test."""
    from sayna_testing._pytest.servers import server_for

    yield from server_for(_run_of(_running[-1]), sayna_server_settings)


@pytest.fixture(scope="session")
def make_sayna_server(request: pytest.FixtureRequest) -> Iterator[MakeSaynaServer]:
    """Make fake servers that live until the end of the session, or until they are closed."""
    from sayna_testing._pytest.servers import SharedServers

    with SharedServers() as shared:
        request.config.stash[_SHARED] = shared
        yield shared.make


@pytest.fixture
def sayna_clock() -> Iterator[Clock]:
    """The clock of this test: virtual, unless its marker says real."""
    with _run_of(_running[-1]).ticking() as clock:
        yield clock


@pytest.fixture
def sayna_faker(request: pytest.FixtureRequest) -> Faker:
    """A Faker with the `sayna_…` methods, seeded."""
    from sayna_testing._pytest.faking import faker_for

    return faker_for(request, _choice(_running[-1]).seed)


@pytest.fixture
def sayna_webhook(sayna_faker: Faker) -> WebhookSigner:
    """Makes webhooks signed as Sayna signs them; what they are not given is made up."""
    from sayna_testing.webhooks import WebhookSigner

    return WebhookSigner(faker=sayna_faker)


def _virtual(item: pytest.Item) -> bool:
    try:
        return _choice(item).clock == "virtual"
    except pytest.UsageError:
        if not hasattr(item.config, "workerinput"):
            raise
        return True  # a worker of xdist cannot refuse to run; the clock raises this once more


def _choice(item: pytest.Item) -> Choice:
    choice = item.stash.get(_CHOICE, None)
    if choice is None:
        from sayna_testing._pytest.choice import choice_of

        choice = item.stash[_CHOICE] = choice_of(item)
    return choice


def _run_of(item: pytest.Item) -> Run:
    run = item.stash.get(_RUN, None)
    if run is None:
        from sayna_testing._pytest.run import Run

        run = item.stash[_RUN] = Run(_choice(item), item.warn, _shared(item.config))
        run.watch.start()
    return run


def _forget_run(item: pytest.Item) -> None:
    run = item.stash.get(_RUN, None)
    if run is not None:
        run.watch.stop()
        del item.stash[_RUN]


def _shared(config: pytest.Config) -> Iterable[FakeSaynaServer]:
    """The servers that outlive the test."""
    shared = config.stash.get(_SHARED, None)
    return () if shared is None else tuple(shared)


def _recorded(item: pytest.Item) -> Iterable[Recorded]:
    run = item.stash.get(_RUN, None)
    return () if run is None else run.recorded()

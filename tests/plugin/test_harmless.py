"""The plugin costs nothing to who does not use it, and needs no other plugin."""

import subprocess
import sys
from collections.abc import Callable

import pytest

pytest_plugins = ("pytester",)

Suite = Callable[..., pytest.RunResult]

HEAVY = ("aiohttp", "pydantic", "faker", "freezegun", "numpy", "sayna_client", "asyncio")


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_it_loads_nothing_but_pytest() -> None:
    loaded = python(
        "import sys, pytest; before = set(sys.modules); import sayna_testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    ).split()
    assert loaded == ["sayna_testing", "sayna_testing.plugin"]


def test_it_loads_in_no_time() -> None:
    def once() -> float:
        return float(
            python(
                "import pytest, time; start = time.perf_counter(); import sayna_testing.plugin;"
                "print(time.perf_counter() - start)"
            )
        )

    assert min(once() for _ in range(3)) < 0.010


def test_a_suite_without_fakes_loads_nothing_more(suite: Suite) -> None:
    suite(
        f"""
        import sys

        def test_it():
            assert not {set(HEAVY)} & set(sys.modules)
            assert not [name for name in sys.modules if name.startswith("sayna_testing._pytest.")]
        """,
        *("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:faker", "-p", "no:hypothesispytest"),
        *("-p", "no:time_machine", "-p", "no:inline_snapshot", "-p", "no:timeout"),
        apart=True,
    ).assert_outcomes(passed=1)


ALONE = """
    import asyncio, datetime
    from agent import converse

    def test_it(sayna_server, sayna_clock, sayna_webhook, sayna_faker):
        sayna_clock.wall("2026-01-01")
        asyncio.run(converse(sayna_server))
        assert datetime.datetime.now().year == 2026
        assert sayna_webhook.sip_call().headers
        assert sayna_faker.sayna_number()
"""


def test_it_works_with_no_other_plugin(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = suite(ALONE, "-p", "sayna_testing.plugin", "-p", "no:asyncio", apart=True)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("other", ["asyncio", "anyio", "faker", "xdist"])
def test_it_misses_no_other_plugin(suite: Suite, other: str) -> None:
    suite(ALONE, "-p", f"no:{other}").assert_outcomes(passed=1)


def test_it_can_be_turned_off(suite: Suite) -> None:
    result = suite("def test_it(sayna_server): pass", "-p", "no:sayna")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'sayna_server' not found*"])


def test_debug_mode_of_asyncio_and_aiohttp(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    suite(ALONE).assert_outcomes(passed=1)


def test_sockets_may_be_forbidden(suite: Suite) -> None:
    suite(
        """
        import asyncio, socket
        import pytest
        from agent import converse

        class Blocked(socket.socket):
            def __new__(cls, family=-1, *args, **kwargs):
                if family in (-1, socket.AF_INET):
                    raise RuntimeError("A test tried to use socket.socket.")
                return super().__new__(cls, family, *args, **kwargs)

        def test_it(sayna_server, sayna_clock, monkeypatch):
            monkeypatch.setattr(socket, "socket", Blocked)
            assert sayna_server.url.endswith(".invalid")
            asyncio.run(converse(sayna_server))

        @pytest.mark.sayna(transport="tcp")
        def test_tcp_says_why(sayna_server, monkeypatch):
            monkeypatch.setattr(socket, "socket", Blocked)
            with pytest.raises(RuntimeError, match=r"socket\\.socket"):
                sayna_server.url
        """
    ).assert_outcomes(passed=2)


def test_frozen_time_just_works(suite: Suite) -> None:
    suite(
        """
        import asyncio, datetime
        from freezegun import freeze_time
        from agent import converse

        @freeze_time("2026-01-01")
        async def test_around(sayna_server):
            await converse(sayna_server)
            assert datetime.datetime.now() == datetime.datetime(2026, 1, 1)

        async def test_inside(sayna_server):
            early = asyncio.create_task(asyncio.sleep(0.02))
            with freeze_time("2026-01-01"):
                await converse(sayna_server)
                await early
            await converse(sayna_server)

        @freeze_time("2026-01-01")
        async def test_moved_along(sayna_server, sayna_clock):
            await asyncio.sleep(90)
            assert datetime.datetime.now() == datetime.datetime(2026, 1, 1, 0, 1, 30)
        """,
        "--asyncio-mode=auto",
    ).assert_outcomes(passed=3)

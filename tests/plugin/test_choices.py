"""Marker, ini settings and flags."""

from collections.abc import Callable

import pytest

pytest_plugins = ("pytester",)

Suite = Callable[..., pytest.RunResult]
PASSES = "def test_it(sayna_server): pass"


def test_ini_makes_every_clock_virtual(suite: Suite) -> None:
    suite(
        """
        import asyncio, pytest, time

        def slept(seconds=30):
            start = time.monotonic()
            asyncio.run(asyncio.sleep(seconds))
            return time.monotonic() - start

        def test_with_a_server(sayna_server):
            assert slept() < 5

        def test_with_a_shared_server(make_sayna_server):
            assert slept() < 5

        def test_without_a_fake():
            assert slept(0.05) >= 0.05

        @pytest.mark.sayna(clock="real")
        def test_real_by_marker(sayna_server):
            assert slept(0.05) >= 0.05
        """,
        ini="sayna_clock = virtual",
    ).assert_outcomes(passed=4)


def test_marker_makes_the_clock_virtual(suite: Suite) -> None:
    suite(
        """
        import asyncio, pytest, time

        @pytest.mark.sayna(clock="virtual")
        def test_without_any_fixture():
            start = time.monotonic()
            asyncio.run(asyncio.sleep(300))
            assert time.monotonic() - start < 5
        """
    ).assert_outcomes(passed=1)


def test_parameters_choose_their_own_clock(suite: Suite) -> None:
    suite(
        """
        import asyncio, pytest, time

        virtual = pytest.mark.sayna(clock="virtual")
        PARAMETERS = [0.05, pytest.param(300, marks=virtual), 0.05]

        @pytest.mark.parametrize("seconds", PARAMETERS)
        def test_sleep(sayna_server, seconds):
            start = time.monotonic()
            asyncio.run(asyncio.sleep(seconds))
            assert (time.monotonic() - start >= 0.05) is (seconds == 0.05)
        """
    ).assert_outcomes(passed=3)


def test_a_real_clock_has_the_same_face(suite: Suite) -> None:
    suite(
        """
        import asyncio, datetime, pytest, time

        @pytest.mark.sayna(clock="real")
        async def test_real(sayna_clock):
            start = time.monotonic()
            await sayna_clock.advance(0.05)
            assert time.monotonic() - start >= 0.05
            assert sayna_clock.elapsed >= 0.05
            assert sayna_clock.holds == []
            sayna_clock.wall("2026-01-01")
            await asyncio.sleep(0.01)
            assert datetime.datetime.now().year == 2026
        """,
        "--asyncio-mode=auto",
    ).assert_outcomes(passed=1)


def test_transport_tcp(suite: Suite) -> None:
    suite(
        """
        import pytest

        from sayna_client.origins import connector_for

        @pytest.mark.sayna(transport="tcp")
        async def test_tcp(sayna_server):
            assert connector_for(sayna_server.url) is None

        async def test_memory(sayna_server):
            async with connector_for(sayna_server.url) as connector:
                assert sayna_server.connectors == (connector,)
        """,
        "--asyncio-mode=auto",
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (
            "clok='virtual'",
            "*unknown keyword 'clok'; expected clock, transport, strict, seed, sett*",
        ),
        ("clock='fast'", '*clock must be "virtual" or "real", got \'fast\'*'),
        ("transport='udp'", '*transport must be "memory" or "tcp", got \'udp\'*'),
        ("strict=1", "*strict must be True or False, got 1*"),
        ("seed='x'", "*seed must be an int, got 'x'*"),
        ("settings={}", "*settings must be a ServerSettings, got {}*"),
        ("'virtual'", "*@pytest.mark.sayna takes keywords only, got 'virtual'*"),
    ],
)
def test_wrong_markers_are_usage_errors(suite: Suite, marker: str, expected: str) -> None:
    result = suite(
        f"import pytest\n@pytest.mark.sayna({marker})\ndef test_it(sayna_server): pass\n"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_it.py::test_it: {expected}"])


@pytest.mark.parametrize(
    ("ini", "expected"),
    [
        ("sayna_clock = fast", 'sayna_clock: expected "virtual" or "real", got \'fast\''),
        ("sayna_seed = x", "sayna_seed: expected an int, got 'x'"),
        ("sayna_max_virtual_time = -1", "sayna_max_virtual_time: expected seconds above 0, got *"),
        ("sayna_max_virtual_time = x", "sayna_max_virtual_time: expected seconds above 0, got 'x'"),
    ],
)
def test_wrong_settings_are_usage_errors(suite: Suite, ini: str, expected: str) -> None:
    result = suite(PASSES, ini=ini)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: ini setting {expected}"])


def test_settings_reach_the_test(suite: Suite) -> None:
    result = suite(
        """
        import asyncio

        def test_it(sayna_server, sayna_clock):
            assert sayna_server.settings.seed == 11
            asyncio.run(asyncio.sleep(61))
        """,
        ini="sayna_seed = 11\nsayna_max_virtual_time = 60",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*VirtualRunaway: virtual time would pass its limit of 60 s*"])


def test_marker_is_told(suite: Suite) -> None:
    suite(PASSES, "--markers").stdout.fnmatch_lines(["@pytest.mark.sayna(clock, transport, *"])


def test_real_time_asks_for_no_clock(suite: Suite) -> None:
    suite(
        """
        def test_it(sayna_server, request):
            assert "sayna_clock" not in request.fixturenames
        """
    ).assert_outcomes(passed=1)

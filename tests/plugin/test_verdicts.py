"""What makes a test fail that passed, and what a failure shows."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

Suite = Callable[..., pytest.RunResult]
AUTO = "--asyncio-mode=auto"


def test_a_failure_shows_the_timeline_seed_and_clock(suite: Suite) -> None:
    result = suite(
        """
        import asyncio
        from agent import converse

        async def test_it(sayna_server, sayna_clock):
            await converse(sayna_server)
            await asyncio.to_thread(sum, [1])
            assert 1 == 2
        """,
        AUTO,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*--- Sayna ---*",
            "<FakeSaynaServer http://127.0.0.1:*>  seed 0  clock at 0.*",
            '*agent  > speak     "Hello! How can I help?"*',
        ]
    )


def test_an_unmet_expectation_fails_with_the_nearest_candidate(suite: Suite) -> None:
    result = suite(
        """
        from agent import connected

        async def test_it(sayna_server, sayna_clock):
            async with connected(sayna_server) as ws:
                await ws.send_json({"type": "speak", "text": "For what time?"})
                await (await sayna_server.wait_for_session()).wait_for_speech(contains="how many")
        """,
        AUTO,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            'E*expected: speak containing "how many" within 5 s*',
            'E*nearest : *speak*"For what time?" at +*no "how many" in it*',
            '*>>> *speak*"For what time?"*',
        ]
    )
    result.stdout.no_fnmatch_line("*awaiting.py*")  # the line of the test is shown, none of ours


def test_an_error_in_a_handler_of_the_agent_fails_the_test(suite: Suite) -> None:
    result = suite(
        """
        import logging

        def handler():
            raise LookupError("no such table")

        def test_it(sayna_server):
            try:
                handler()
            except LookupError as error:
                log = logging.getLogger("sayna_client.client")
                log.error("A handler of %s raised %s", "stt_result", "LookupError", exc_info=error)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*A handler of stt_result raised LookupError: no such table*",
            '*raise LookupError("no such table")*',
        ]
    )


def test_an_error_inside_the_fake_fails_the_test(suite: Suite) -> None:
    result = suite(
        """
        import asyncio
        from agent import connected

        async def test_it(sayna_server):
            def broken(*_args):
                raise ZeroDivisionError("a bug of the fake")

            sayna_server.state.rooms.subscribe(broken)
            async with connected(sayna_server) as ws:
                asyncio.get_running_loop().call_soon(sayna_server.rooms.create, "room")
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                sayna_server.rooms.get("room")
                asyncio.get_running_loop().call_soon(sayna_server.rooms.delete, "room")
                await asyncio.sleep(0.01)
        """,
        AUTO,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the fake server failed: a bug of the fake*"])


def test_an_error_inside_the_speech_of_the_fake_fails_the_test(suite: Suite) -> None:
    result = suite(
        """
        import asyncio
        from agent import CONFIG, connected

        async def test_it(sayna_server):
            def broken(event):
                if type(event).__name__ == "AgentAudio":
                    raise ZeroDivisionError("a bug of the fake")

            async with connected(sayna_server) as ws:
                await ws.send_json({**CONFIG, "livekit": {"room_name": "r"}})
                assert (await ws.receive_json())["type"] == "ready"
                sayna_server.rooms.subscribe(broken)
                await ws.send_json({"type": "speak", "text": "Hello"})
                await sayna_server.sessions[-1].wait_for_speech()
                await asyncio.sleep(0.1)
        """,
        AUTO,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the fake server failed: a bug of the fake*"])


def test_errors_of_others_are_left_alone(suite: Suite) -> None:
    suite(
        """
        import asyncio, logging

        async def test_it(sayna_server):
            def broken():
                raise ZeroDivisionError

            asyncio.get_running_loop().call_soon(broken)
            await asyncio.sleep(0)
            logging.getLogger("sayna_client.client").error("nothing raised")
        """,
        AUTO,
    ).assert_outcomes(passed=1)


REFUSED = """
    import pytest
    from agent import connected

    async def provoke(ws):
        await ws.send_json({"type": "no such type"})
        assert (await ws.receive_json())["type"] == "error"

    async def test_alone(sayna_server):
        async with connected(sayna_server) as ws:
            await provoke(ws)
"""


def test_strict_fails_on_errors_that_nothing_allows(suite: Suite) -> None:
    suite(REFUSED, AUTO).assert_outcomes(passed=1)
    result = suite(REFUSED, AUTO, ini="sayna_strict = true")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "strict: the fake server answered with errors that nothing*",
            "*agent  > malformed*",
        ]
    )


def test_strict_lets_allowed_errors_pass(suite: Suite) -> None:
    result = suite(
        REFUSED
        + """
    @pytest.mark.sayna(strict=True)
    async def test_allowed(sayna_server):
        async with connected(sayna_server) as ws:
            with sayna_server.allow_errors():
                with sayna_server.allow_errors():
                    await provoke(ws)
                await provoke(ws)

    @pytest.mark.sayna(strict=True)
    async def test_still_open(sayna_server):
        async with connected(sayna_server) as ws:
            sayna_server.keep = sayna_server.allow_errors()
            sayna_server.keep.__enter__()
            await provoke(ws)

    @pytest.mark.sayna(strict=True)
    async def test_not_after_the_block(sayna_server):
        async with connected(sayna_server) as ws:
            with sayna_server.allow_errors():
                await provoke(ws)
            await provoke(ws)
    """,
        AUTO,
    )
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_not_after_the_block*"])


def test_a_reset_forgets_what_was_allowed(suite: Suite) -> None:
    suite(
        REFUSED
        + """
    @pytest.mark.sayna(strict=True)
    @pytest.mark.xfail(strict=True)
    async def test_reset(sayna_server):
        async with connected(sayna_server) as ws:
            with sayna_server.allow_errors():
                await provoke(ws)
        sayna_server.reset()
        async with connected(sayna_server) as ws:
            await provoke(ws)
    """,
        AUTO,
        "-k",
        "reset",
    ).assert_outcomes(xfailed=1, deselected=1)


def test_nothing_is_added_to_a_test_that_ends_on_its_own(suite: Suite) -> None:
    result = suite(
        REFUSED
        + """
    import unittest

    pytestmark = pytest.mark.sayna(strict=True)

    async def refused(server):
        async with connected(server) as ws:
            await provoke(ws)

    async def test_fails(sayna_server):
        await refused(sayna_server)
        raise RuntimeError("on its own")

    async def test_skips(sayna_server):
        await refused(sayna_server)
        pytest.skip("not today")

    async def test_xfails(sayna_server):
        await refused(sayna_server)
        pytest.xfail("known")

    @pytest.mark.xfail(strict=True)
    async def test_is_expected_to_fail(sayna_server):
        await refused(sayna_server)

    async def test_subtest(sayna_server, subtests):
        await refused(sayna_server)
        with subtests.test("sub"):
            raise RuntimeError("in a subtest")

    class TestUnit(unittest.IsolatedAsyncioTestCase):
        @pytest.fixture(autouse=True)
        def given(self, sayna_server):
            self.server = sayna_server

        async def test_unit(self):
            await refused(self.server)
            self.fail("in unittest")
    """,
        AUTO,
        "-k",
        "not alone",
    )
    outcomes = result.parseoutcomes()
    assert (outcomes["skipped"], outcomes["xfailed"]) == (1, 2)
    assert "that nothing allows" not in result.stdout.str()
    for own in ("on its own", "in a subtest", "in unittest"):
        assert own in result.stdout.str()


def test_a_test_that_is_run_again_is_judged_anew(suite: Suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            first = runtestprotocol(item, log=False, nextitem=None)
            assert [report.outcome for report in first] == ["passed", "failed", "passed"]
            item.runs = 2
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
            return True
        """
    )
    suite(
        REFUSED
        + """
    @pytest.mark.sayna(strict=True)
    async def test_flaky(sayna_server, request):
        async with connected(sayna_server) as ws:
            if not hasattr(request.node, "runs"):
                await provoke(ws)
    """,
        AUTO,
        *("-k", "flaky"),
    ).assert_outcomes(passed=1, deselected=1)


def test_shared_servers_are_judged_test_by_test(suite: Suite) -> None:
    result = suite(
        REFUSED
        + """
    pytestmark = pytest.mark.sayna(strict=True)

    @pytest.fixture(scope="session")
    def server(make_sayna_server):
        return make_sayna_server()

    async def test_refused(server):
        async with connected(server) as ws:
            await provoke(ws)

    async def test_innocent(server):
        async with connected(server):
            pass

    async def test_made_inside(make_sayna_server):
        server = make_sayna_server()
        async with connected(server) as ws:
            await provoke(ws)
    """,
        AUTO,
        "-k",
        "not alone",
    )
    result.assert_outcomes(passed=1, failed=2, deselected=1)
    assert result.stdout.str().count("no such type") >= 2


LEAKS = """
    import aiohttp, asyncio, pytest
    from agent import connected


    kept = []

    async def test_client(sayna_server):
        client = aiohttp.ClientSession(connector=sayna_server.connector())  # opened here
        async with client.get(sayna_server.url):
            kept.append(client)

    async def test_task(sayna_server):
        async with connected(sayna_server):
            kept.append(asyncio.create_task(asyncio.sleep(600)))  # started here

    async def test_socket(sayna_server):
        client = aiohttp.ClientSession()
        kept.append((client, await client.ws_connect(sayna_server.ws_url)))

    async def test_clean(sayna_server):
        async with connected(sayna_server):
            await asyncio.create_task(asyncio.sleep(0))

    async def test_failed_already(sayna_server):
        kept.append(aiohttp.ClientSession(connector=sayna_server.connector()))
        await kept[-1].get(sayna_server.url)
        assert False, "own"

    @pytest.mark.sayna(strict=True)
    async def test_strict(sayna_server):
        kept.append(aiohttp.ClientSession(connector=sayna_server.connector()))

    async def test_shared(make_sayna_server):
        kept.append(aiohttp.ClientSession(connector=make_sayna_server().connector()))
"""


def test_leaks_are_told_with_the_line_that_opened_them(suite: Suite) -> None:
    result = suite(LEAKS, AUTO, "-W", "default", "-p", "no:unraisableexception", apart=True)
    result.assert_outcomes(passed=6, failed=1, errors=1, warnings=4)
    result.stdout.fnmatch_lines(
        [
            "left open: the client opened at test_it.py:* was never closed",
            "*SaynaLeakWarning: the client opened at test_it.py:8 was never closed*",
            "*SaynaLeakWarning: the task sleep started at test_it.py:14 never ended*",
            "*SaynaLeakWarning: the socket of session ws-1, which came over TCP, was never closed*",
            "*SaynaLeakWarning: the client opened at test_it.py:* was never closed*",
        ]
    )


FORGOTTEN = """
    import asyncio, pytest
    from sayna_client import SaynaClient

    kept = []

    async def forget(server):
        kept.append(SaynaClient(server.url, without_audio=True))
        await kept[-1].connect()

    async def test_awaited(sayna_server):
        await forget(sayna_server)

    async def test_rest(sayna_server):
        kept.append(SaynaClient(sayna_server.url, without_audio=True))
        await kept[-1].health()

    @pytest.mark.asyncio(loop_scope="module")
    async def test_long_loop(sayna_server):
        await forget(sayna_server)

    async def test_closed(sayna_server):
        async with SaynaClient(sayna_server.url, without_audio=True).connect():
            pass

    @pytest.mark.sayna(strict=True)
    def test_strict(sayna_server):
        asyncio.run(forget(sayna_server))
"""


def test_a_client_of_the_sdk_that_is_not_disconnected_is_a_leak(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=FORGOTTEN)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", AUTO)  # no filter of warnings
    result.assert_outcomes(passed=4, failed=1, warnings=3)
    opened = "test_it.py:*: SaynaLeakWarning: the client opened at test_it.py:{} was never closed"
    for test, line in (("awaited", 8), ("rest", 15), ("long_loop", 8)):
        result.stdout.fnmatch_lines([f"*::test_{test}", f"  {opened.format(line)}"])
    result.stdout.fnmatch_lines(["left open: the client opened at test_it.py:8 was never closed"])


LOST = """
    import aiohttp, asyncio, unittest, pytest
    from agent import connected

    pytestmark = pytest.mark.sayna(strict=True)
    kept = []

    async def open_client(server):
        kept.append(aiohttp.ClientSession(connector=server.connector()))

    async def start_task(server):
        async with connected(server):
            kept.append(asyncio.create_task(asyncio.sleep(600)))

    def test_client(sayna_server):
        asyncio.run(open_client(sayna_server))

    def test_task(sayna_server):
        asyncio.run(start_task(sayna_server))

    class TestUnit(unittest.IsolatedAsyncioTestCase):
        @pytest.fixture(autouse=True)
        def given(self, sayna_server):
            self.server = sayna_server

        async def test_unit(self):
            await open_client(self.server)

    def test_failed_already(sayna_server):
        asyncio.run(open_client(sayna_server))
        assert False, "own"
"""


def test_what_goes_down_with_its_loop_fails_the_test_itself(suite: Suite) -> None:
    result = suite(LOST, apart=True)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "left open: the client opened at test_it.py:* was never closed",
            "left open: the task sleep started at test_it.py:* never ended",
            "left open: the client opened at test_it.py:* was never closed",
            "E *AssertionError: own",
        ]
    )


def test_what_fixtures_close_is_no_leak(suite: Suite) -> None:
    suite(
        """
        import aiohttp, asyncio, pytest, pytest_asyncio

        pytestmark = pytest.mark.sayna(strict=True)

        class Agent:
            async def connect(self, server):
                self.http = aiohttp.ClientSession(connector=server.connector())
                self.ws = await self.http.ws_connect("http://sayna.invalid/ws")
                self.reading = asyncio.create_task(self.ws.receive())

            async def close(self):
                self.reading.cancel()
                await self.ws.close()
                await self.http.close()

        @pytest_asyncio.fixture
        async def agent(sayna_server):
            agent = Agent()
            yield agent
            await agent.close()

        async def test_it(agent, sayna_server):
            await agent.connect(sayna_server)
        """,
        AUTO,
    ).assert_outcomes(passed=1)


def test_a_client_that_closed_over_tcp_is_no_leak(suite: Suite) -> None:
    suite(
        """
        import aiohttp, pytest

        @pytest.mark.sayna(strict=True)
        async def test_it(sayna_server):
            async with aiohttp.ClientSession() as http:
                async with http.ws_connect(sayna_server.ws_url):
                    pass
        """,
        AUTO,
    ).assert_outcomes(passed=1)


def test_a_failure_shows_what_held_virtual_time(suite: Suite) -> None:
    result = suite(
        """
        import asyncio, time

        async def test_it(sayna_server, sayna_clock):
            await asyncio.to_thread(time.sleep, 0.02)
            assert False
        """,
        AUTO,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["virtual time waited * s for work in another thread (asked for at test_it.py:4)"]
    )


def test_junit_has_properties(suite: Suite, pytester: pytest.Pytester) -> None:
    suite(
        """
        from agent import converse

        async def test_passes(sayna_server, sayna_clock):
            await converse(sayna_server)

        async def test_fails(sayna_server):
            await converse(sayna_server)
            raise RuntimeError("fails")
        """,
        AUTO,
        "--junit-xml=junit.xml",
        ini="sayna_seed = 3",
    ).assert_outcomes(passed=1, failed=1)
    cases = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in ET.parse(pytester.path / "junit.xml").iter("testcase")
    }
    passed, failed = cases["test_passes"], cases["test_fails"]
    assert passed["sayna_sessions"] == "1"
    assert passed["sayna_seed"] == "3"
    assert float(passed["sayna_virtual_seconds"] or "") > 0
    assert failed["sayna_sessions"] == "1"
    assert "Hello! How can I help?" in (failed["sayna_timeline"] or "")


def test_sections_and_verdicts_pass_xdist(suite: Suite) -> None:
    result = suite(
        REFUSED
        + """
    pytestmark = pytest.mark.sayna(strict=True)

    @pytest.mark.parametrize("n", range(4))
    async def test_passes(sayna_server, sayna_clock, n):
        async with connected(sayna_server):
            await sayna_clock.advance(60)
    """,
        AUTO,
        *("-n", "2"),
    )
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            "strict: *that nothing allows*",
            "*> malformed *no such type*",
            "*< error *unknown variant*",
        ]
    )
    result.stdout.no_fnmatch_line("*traceback entries are hidden*")


def test_wrong_markers_stop_xdist_too(suite: Suite) -> None:
    result = suite(
        "import pytest\n@pytest.mark.sayna(clok=1)\ndef test_it(sayna_server): pass\n", "-n", "1"
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E*UsageError: *unknown keyword 'clok'; expected clock, tran*"])


def test_the_page_of_a_run(suite: Suite, pytester: pytest.Pytester) -> None:
    suite(
        """
        from agent import converse

        async def test_conversation(sayna_server, sayna_clock):
            await converse(sayna_server)

        def test_nothing():
            pass
        """,
        AUTO,
        "--sayna-report=page.html",
    ).assert_outcomes(passed=2)
    page = Path(pytester.path / "page.html").read_text(encoding="utf-8")
    assert "test_it.py::test_conversation" in page


UNMET = """
    from agent import converse

    async def test_it(sayna_server):
        sayna_server.faults.http_status(503, path="/voices")
        await converse(sayna_server)
"""


def test_a_fault_that_nobody_met_is_a_warning(suite: Suite) -> None:
    result = suite(UNMET, AUTO, "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*SaynaFaultWarning: this fault was not used up: *503*/voices, met 0 of 1 times*"]
    )


def test_a_fault_that_nobody_met_fails_when_strict(suite: Suite) -> None:
    result = suite(UNMET, AUTO, ini="sayna_strict = true")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*strict: planned faults were not used up: *503*/voices*"])


TWO_RATES = """
    import aiohttp
    from agent import CONFIG

    TOLD = {**CONFIG["stt_config"], "sample_rate": 8000}
    IN_A_ROOM = {**CONFIG, "stt_config": TOLD, "livekit": {"room_name": "lobby"}}

    async def talk(server):
        async with aiohttp.ClientSession(connector=server.connector()) as http:
            async with http.ws_connect(server.ws_url) as ws:
                await ws.send_json(IN_A_ROOM)
                assert (await ws.receive_json())["type"] == "ready"
                assert await server.join("lobby", "guest").says("hello")

    async def test_it(sayna_server, sayna_clock):
        await talk(sayna_server)

    async def test_allowed(sayna_server, sayna_clock):
        with sayna_server.allow_errors():
            await talk(sayna_server)
"""


def test_recognition_told_another_rate_than_it_is_fed_is_a_warning(suite: Suite) -> None:
    result = suite(TWO_RATES, AUTO, "-W", "default::sayna_testing.SampleRateWarning")
    result.assert_outcomes(passed=2, warnings=2)
    result.stdout.fnmatch_lines(["*SampleRateWarning: *says 8000 Hz, but the room feeds 16000 Hz*"])


def test_recognition_told_another_rate_than_it_is_fed_fails_when_strict(suite: Suite) -> None:
    quiet = ("-W", "ignore::sayna_testing.SampleRateWarning")
    result = suite(TWO_RATES, AUTO, *quiet, ini="sayna_strict = true")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*strict: *errors*", "*says 8000 Hz, but the room feeds 16000 Hz*"]
    )

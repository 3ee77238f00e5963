"""The fixtures, from every kind of test there is."""

from collections.abc import Callable

import pytest

pytest_plugins = ("pytester",)

Suite = Callable[..., pytest.RunResult]

SYNC = """
    import asyncio, urllib.request
    from agent import converse

    def test_url_is_a_real_address(sayna_server):
        with urllib.request.urlopen(sayna_server.url) as response:
            assert response.read() == b'{"status":"OK"}'

    def test_asyncio_run(sayna_server):
        asyncio.run(converse(sayna_server))

    def test_run_from_no_loop(sayna_server):
        sayna_server.run(converse(sayna_server))
"""


def test_sync_tests(suite: Suite) -> None:
    suite(SYNC).assert_outcomes(passed=3)


ASYNCIO = """
    import asyncio, pytest, pytest_asyncio
    from agent import connected, converse

    pytestmark = pytest.mark.asyncio(loop_scope="{scope}")

    @pytest_asyncio.fixture(loop_scope="{scope}")
    async def ws(sayna_server):
        async with connected(sayna_server) as ws:
            yield ws

    class TestAsync:
        async def test_conversation(self, sayna_server):
            await converse(sayna_server)

        async def test_async_fixture(self, sayna_server, ws):
            await ws.send_json({{"type": "speak", "text": "Hi"}})
            session = await sayna_server.wait_for_session()
            assert await session.wait_for_speech() == "Hi"

        async def test_virtual(self, sayna_server, sayna_clock, ws):
            await asyncio.sleep(600)
            await converse(sayna_server)
            assert 600 <= sayna_clock.elapsed < 700
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
@pytest.mark.parametrize("scope", ["function", "class", "module", "package", "session"])
def test_pytest_asyncio(suite: Suite, mode: str, scope: str) -> None:
    result = suite(ASYNCIO.format(scope=scope), f"--asyncio-mode={mode}")
    result.assert_outcomes(passed=3)


def test_anyio(suite: Suite) -> None:
    suite(
        """
        import anyio, pytest
        from agent import connected, converse

        pytestmark = pytest.mark.anyio

        @pytest.fixture(params=[("asyncio", {"debug": False}), ("asyncio", {"debug": True})])
        def anyio_backend(request):
            return request.param

        @pytest.fixture
        async def ws(sayna_server):
            async with connected(sayna_server) as ws:
                yield ws

        async def test_conversation(sayna_server, ws):
            await converse(sayna_server)

        async def test_virtual(sayna_server, sayna_clock, ws):
            await anyio.sleep(600)
            await converse(sayna_server)
            assert 600 <= sayna_clock.elapsed < 700
        """,
        "-p",
        "no:asyncio",
    ).assert_outcomes(passed=4)


def test_unittest(suite: Suite) -> None:
    suite(
        """
        import asyncio, unittest, pytest
        from agent import converse

        class TestSync(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def given(self, sayna_server):
                self.server = sayna_server

            def test_conversation(self):
                asyncio.run(converse(self.server))

        @pytest.mark.sayna(clock="virtual")
        class TestAsync(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def given(self, sayna_server):
                self.server = sayna_server

            async def asyncSetUp(self):
                await asyncio.sleep(600)

            async def test_conversation(self):
                await converse(self.server)
        """
    ).assert_outcomes(passed=2)


def test_hypothesis(suite: Suite) -> None:
    suite(
        """
        import asyncio
        from hypothesis import given, settings, strategies as st
        from agent import connected
        from sayna_testing.clock import virtual_time
        from sayna_testing.fake import FakeSaynaServer

        @settings(max_examples=5, deadline=None)
        @given(st.text(min_size=1))
        def test_any_text(text):
            async def main():
                async with connected(server) as ws:
                    await ws.send_json({"type": "speak", "text": text})
                    session = await server.wait_for_session()
                    assert await session.wait_for_speech() == text

            with virtual_time(), FakeSaynaServer() as server:
                asyncio.run(main())
        """
    ).assert_outcomes(passed=1)


def test_servers_of_other_scopes_and_settings(suite: Suite) -> None:
    suite(
        """
        import asyncio, pytest
        from agent import converse
        from sayna_testing.server.settings import ServerSettings

        @pytest.fixture(scope="module")
        def server(make_sayna_server):
            return make_sayna_server(ServerSettings(wpm=200))

        def test_first(server):
            asyncio.run(converse(server))

        def test_second(server, sayna_server, make_sayna_server):
            asyncio.run(converse(server))
            asyncio.run(converse(sayna_server))
            assert (len(server.sessions), len(sayna_server.sessions)) == (2, 1)
            assert server.settings.wpm == 200
            early = make_sayna_server(transport="tcp")
            early.close()
        """
    ).assert_outcomes(passed=2)


def test_a_server_asked_for_inside_a_test(suite: Suite, request: pytest.FixtureRequest) -> None:
    suite(
        """
        def test_it(request):
            assert request.getfixturevalue("sayna_server").sessions == ()
        """
    ).assert_outcomes(passed=1)
    # The pytest inside is over, and this one still knows which test it runs.
    assert request.getfixturevalue("sayna_server").sessions == ()


def test_servers_go_with_their_tests(suite: Suite) -> None:
    suite(
        """
        import asyncio, gc, weakref
        from agent import converse

        gone = []

        def test_unused(sayna_server):
            gone.append(weakref.ref(sayna_server))

        def test_used(sayna_server, sayna_clock):
            asyncio.run(converse(sayna_server))
            gone.append(weakref.ref(sayna_server.journal))

        def test_after_them():
            gc.collect()
            assert [ref() for ref in gone] == [None, None]
        """
    ).assert_outcomes(passed=3)


def test_a_suite_is_configured_by_one_fixture(suite: Suite) -> None:
    suite(
        """
        import pytest
        from sayna_testing.server.settings import ServerSettings

        @pytest.fixture
        def sayna_server_settings():
            return ServerSettings(wpm=200, seed=7)

        def test_suite(sayna_server):
            assert (sayna_server.settings.wpm, sayna_server.settings.seed) == (200, 7)

        @pytest.mark.sayna(settings=ServerSettings(wpm=100), seed=8)
        class TestMarked:
            def test_marker_wins(self, sayna_server):
                assert (sayna_server.settings.wpm, sayna_server.settings.seed) == (100, 8)

            @pytest.mark.sayna(seed=9)
            def test_closest_wins(self, sayna_server):
                assert (sayna_server.settings.wpm, sayna_server.settings.seed) == (100, 9)
        """
    ).assert_outcomes(passed=3)


def test_settings_of_another_kind_are_refused(suite: Suite) -> None:
    result = suite(
        """
        import pytest

        @pytest.fixture
        def sayna_server_settings():
            return {"wpm": 200}

        def test_suite(sayna_server):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*sayna_server_settings must return a ServerSettings, got {'wpm*"])


def test_seeds_make_up_the_same_again(suite: Suite) -> None:
    suite(
        """
        import pytest
        from freezegun import freeze_time

        seen = []

        @pytest.mark.parametrize("again", [1, 2])
        @freeze_time("2026-01-01")
        def test_default(again, sayna_webhook, sayna_faker):
            seen.append((sayna_webhook.sip_call().body, sayna_faker.name()))
            assert seen[0] == seen[-1]

        @pytest.mark.sayna(seed=5)
        def test_seeded(sayna_faker):
            assert sayna_faker.sayna_number()
            assert sayna_faker.name() != seen[0][1]
        """
    ).assert_outcomes(passed=3)

"""Corners of calls and of what is told of them."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from sayna_client import SaynaClient
from sayna_testing.clock import virtual_time
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import Outcome
from sayna_testing.scripts.telling import tell
from sayna_testing.server.settings import ServerSettings, SipHook, SipSettings
from tests.testing.agents import STT, TTS
from tests.testing.reacting import GREETING, call, hold, play, says


def test_a_hook_nobody_answers_fails_the_call_with_the_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/sayna"
    hook = SipHook(host="acme.example", url=url, auth_id="acme")
    sip = replace(SipSettings(), hooks=(hook,))

    async def ring(server: FakeSaynaServer) -> None:
        async with server.call(to="sip:4021@acme.example"):
            pytest.fail("nobody is there")

    with virtual_time(), FakeSaynaServer(ServerSettings(sip=sip)) as server:
        with pytest.raises(ExpectationError, match=url):
            asyncio.run(ring(server))
        room = server.rooms.all()[0]
        assert "acme" in room.metadata


def test_what_was_not_answered_before_the_next_words_counts_once() -> None:
    async def talk(server: FakeSaynaServer) -> tuple[float, ...]:
        agent = asyncio.create_task(hold(server.url, {"two": says("Two it is.", after=0.2)}))
        caller = server.caller(await server.wait_for_session())
        await caller.says("one")
        await caller.says("two")
        await caller.hears("two it is")
        await caller.hangs_up()
        await agent
        return caller.latencies

    with virtual_time(), FakeSaynaServer() as server:
        (latency,) = asyncio.run(talk(server))
        assert 0.2 < latency < 0.4


def test_who_never_speaks_is_told_so() -> None:
    async def talk(server: FakeSaynaServer) -> None:
        agent = asyncio.create_task(hold(server.url, {}))
        caller = server.caller(await server.wait_for_session())
        try:
            with pytest.raises(ExpectationError, match="the agent to speak within 2 s"):
                await caller.interrupts("hello", within=2.0)
            with pytest.raises(ExpectationError, match='hear containing "x" within 1 s'):
                await caller.hears("x", within=1.0)
        finally:
            await caller.hangs_up()
            await agent

    with virtual_time(), FakeSaynaServer() as server:
        asyncio.run(talk(server))


def test_what_else_an_agent_does_gives_it_no_more_time_to_speak() -> None:
    async def fidget(url: str) -> None:
        client = SaynaClient(url, STT, TTS)
        async with client.connect():
            await asyncio.sleep(1.5)
            await client.clear()
            await client.wait_for("closed")

    async def talk(server: FakeSaynaServer) -> None:
        agent = asyncio.create_task(fidget(server.url))
        caller = server.caller(await server.wait_for_session())
        begun = server.journal.now
        with pytest.raises(ExpectationError, match="the agent to speak within 2 s"):
            await caller.interrupts("hello", within=2.0)
        assert server.journal.now - begun == pytest.approx(2.0)
        await caller.hangs_up()
        await agent

    with virtual_time(), FakeSaynaServer() as server:
        asyncio.run(talk(server))


def test_a_turn_waits_for_the_end_of_speech_that_no_turn_heard() -> None:
    turns = """
        [[turn]]
        after = { event = "speech_ended", delay = "1s" }
        hang_up = true
    """
    with virtual_time(), FakeSaynaServer() as server:
        outcome = play(server, turns, {"ready": says(GREETING)})
        assert outcome.passed
        assert 2.5 < outcome.turns[0].said[0].at < 5.0


@pytest.mark.parametrize("room", [True, False])
def test_an_agent_that_breaks_down_on_the_phone_is_told_as_such(room: bool) -> None:
    async def breaks(client: object) -> None:
        raise OSError("no model")

    def run(server: FakeSaynaServer) -> Outcome:
        turns = '[[turn]]\nagent = { contains = "help" }'
        return (call if room else play)(server, turns, {"ready": breaks})

    with (
        virtual_time(),
        FakeSaynaServer() as server,
        pytest.raises(ExpectationError, match="the agent broke down: OSError: no model"),
    ):
        run(server)


def test_turns_not_run_are_told_by_what_would_have_been_said() -> None:
    turns = """
        [[turn]]
        agent = { contains = "something else", within = "1s" }
        [[turn]]
        caller = "a table"
        [[turn]]
        hang_up = true
    """
    with virtual_time(), FakeSaynaServer() as server:
        outcome = play(server, turns, {"ready": says(GREETING)})
    told = list(tell(outcome))
    assert any("a table" in line and line.endswith("not run") for line in told)

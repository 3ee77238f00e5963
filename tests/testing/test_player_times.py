"""When turns begin, from when on an agent's doing counts, and what it must never do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sayna_client import SaynaClient
from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from tests.testing.agents import STT, TTS
from tests.testing.reacting import GREETING, Act, both, call, hold, moment, play, says, script


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with virtual_time(), FakeSaynaServer() as server:
        yield server


ANCHORS: dict[str, tuple[Act, str, str]] = {
    "ready": (says(GREETING), "<", "ready"),
    "speak": (says(GREETING, after=1.0), ">", "speak"),
    "clear": (lambda client: client.clear(), ">", "clear"),
    "message": (lambda client: client.send_message("hi", "assistant"), ">", "send_message"),
    "loading_started": (lambda client: client.loading_start(), ">", "loading_start"),
    "loading_stopped": (lambda client: client.loading_stop(), ">", "loading_stop"),
}


@pytest.mark.parametrize("event", ANCHORS)
def test_a_turn_begins_so_long_after_what_the_agent_did(
    server: FakeSaynaServer, event: str
) -> None:
    act, flow, kind = ANCHORS[event]
    turns = f"""
        [[turn]]
        after = {{ event = "{event}", delay = "500ms" }}
        message = {{ text = "now" }}
    """
    outcome = call(server, turns, {"ready": act})
    assert outcome.passed
    anchored = moment(outcome, flow, kind)
    now = next(e.at for e in outcome.entries if e.data.get("text") == "now")
    assert now == pytest.approx(anchored + 0.5, abs=0.002)


@pytest.mark.parametrize(("event", "word"), [("interim", "one"), ("final", "one two")])
def test_a_turn_begins_so_long_after_what_the_agent_was_given(
    server: FakeSaynaServer, event: str, word: str
) -> None:
    turns = f"""
        [[turn]]
        caller = "one two"
        [[turn]]
        after = {{ event = "{event}", delay = "2s" }}
        caller = {{ text = "three", interims = false }}
        [[turn]]
        wait = "1s"
    """
    outcome = play(server, turns, {})
    assert outcome.passed
    results = [e for e in outcome.entries if e.kind == "stt_result"]
    anchor = next(e.at for e in results if e.data["transcript"] == word and e.flow == "<")
    if event == "final":
        anchor = next(e.at for e in results if e.data["is_final"])
    three = next(e.at for e in results if e.data["transcript"] == "three")
    assert three - anchor > 2.0
    assert three - anchor < 2.6


def test_a_turn_breaks_into_the_speech_that_the_turn_before_waited_for(
    server: FakeSaynaServer,
) -> None:
    turns = """
        [[turn]]
        caller = "a table"
        agent = { contains = "what time" }
        [[turn]]
        caller = "no, wait"
        after = { event = "speech_started", delay = "400ms" }
        agent = { clear = true, within = "150ms" }
        never = ["sip_transfer"]
        [[turn]]
        hang_up = true
    """
    table: dict[str, Act] = {
        "a table": says("For what time shall I book the table, please?", after=0.5),
        "interim": lambda client: client.clear(),
    }
    outcome = play(server, turns, table)
    assert outcome.passed, outcome.turns
    spoken = moment(outcome, ">", "speak")
    first = next(e.at for e in outcome.entries if e.kind == "stt_result" and e.at > spoken)
    assert 0.4 < first - spoken < 1.0
    told = {said.text: said.at for turn in outcome.turns for said in turn.said}
    assert list(told)[1] == "For what time shall I book the table, please?"
    assert told["no, wait"] < first <= told["(stops speaking)"] < first + 0.15
    assert "(hangs up)" in told


def test_a_turn_begins_when_the_speech_has_ended(server: FakeSaynaServer) -> None:
    turns = """
        [[turn]]
        after = { event = "speech_ended", delay = "1s" }
        caller = { text = "one", interims = false }
        agent = { contains = "first" }
        [[turn]]
        after = { event = "speech_ended", delay = "1s" }
        caller = { text = "two", interims = false }
    """
    outcome = play(server, turns, {"ready": says(GREETING), "one": says("That was the first.")})
    assert outcome.passed, outcome.turns
    greeting, first, one, two = (
        next(said for turn in [outcome.turns[n]] for said in turn.said if said.who == who)
        for n, who in ((0, "agent"), (0, "agent"), (0, "caller"), (1, "caller"))
    )
    assert greeting is first
    assert one.at > 3.0
    assert two.at == pytest.approx(first.at + 1.0 + 1.1, abs=0.6)


def test_an_anchor_is_looked_for_behind_the_speech_that_was_heard(server: FakeSaynaServer) -> None:
    turns = """
        [[turn]]
        agent = { contains = "hello" }
        [[turn]]
        after = { event = "speak", within = "1s" }
        hang_up = true
    """
    outcome = play(server, turns, {"ready": says(GREETING)})
    assert [result.status for result in outcome.turns] == ["passed", "failed"]
    assert "expected: speak within 1 s" in outcome.turns[1].reason


def test_a_clear_of_an_earlier_turn_does_not_count(server: FakeSaynaServer) -> None:
    turns = """
        [[turn]]
        caller = "one"
        [[turn]]
        caller = "two"
        agent = { clear = true, within = "150ms" }
    """
    outcome = play(server, turns, {"one": lambda client: client.clear()})
    assert [result.status for result in outcome.turns] == ["passed", "failed"]
    assert "expected: clear within 0.15 s of the caller's first word" in outcome.turns[1].reason


def test_a_clear_that_comes_late_is_the_nearest(server: FakeSaynaServer) -> None:
    async def late(client: SaynaClient) -> None:
        await asyncio.sleep(0.5)
        await client.clear()

    turns = '[[turn]]\ncaller = "one two"\nagent = { clear = true, within = "150ms" }'
    outcome = play(server, turns, {"interim": late})
    assert not outcome.passed


@pytest.mark.parametrize(
    ("never", "reason"), [("speak", "no speak in this turn"), ("repetition", "to be said once")]
)
def test_what_must_never_be_sent_fails_the_turn(
    server: FakeSaynaServer, never: str, reason: str
) -> None:
    turns = f"""
        [[turn]]
        caller = "one"
        agent = {{ silent = "6s" }}
        never = ["clear"]
        [[turn]]
        caller = "two"
        wait = "1s"
        never = ["clear"]
        [[turn]]
        wait = "5s"
        never = ["{never}"]
    """
    twice = both(says("Yes?", after=1.5), says("Yes?"))
    outcome = play(server, turns, {"two": twice})
    assert [result.status for result in outcome.turns] == ["passed", "passed", "failed"]
    assert reason in outcome.turns[2].reason


def test_saying_different_things_is_no_repetition(server: FakeSaynaServer) -> None:
    turns = '[[turn]]\nagent = { contains = "two" }\nnever = ["repetition"]'
    assert play(server, turns, {"ready": both(says("one"), says("two"))}).passed


def test_a_call_cannot_go_on_in_another_session(server: FakeSaynaServer) -> None:
    outcome = call(server, "[[turn]]\nreconnect = true", {})
    assert "a call ends with its session" in outcome.turns[0].reason


def test_a_conversation_goes_on_with_the_session_after_a_lost_one(server: FakeSaynaServer) -> None:
    turns = """
        [[turn]]
        agent = { contains = "hello" }
        hang_up = true
        [[turn]]
        reconnect = true
        agent = { contains = "hello" }
    """

    async def twice(url: str) -> None:
        for _ in range(2):
            await hold(url, {"ready": says(GREETING)})

    outcome = asyncio.run(server.try_play(script(turns), twice))
    assert outcome.passed, outcome.turns
    assert {e.session for e in outcome.entries} == {"ws-1", "ws-2"}


def test_an_agent_that_has_done_its_work_may_end(server: FakeSaynaServer) -> None:
    async def short(url: str) -> None:
        client = SaynaClient(url, STT, TTS)
        await client.connect()
        await client.speak(GREETING)
        await asyncio.sleep(3.0)
        await client.disconnect()

    turns = '[[turn]]\nagent = { contains = "help" }\n[[turn]]\nagent = { hangs_up = true }'
    assert asyncio.run(server.play(script(turns), short)).passed

"""The agent in conversation: a fake Sayna, a caller who speaks and listens, real sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from booking_agent.agent import BookingAgent, run
from booking_agent.dialogue import GREETING
from sayna_testing import Caller, Clock, ExpectationError, FakeSaynaServer, scenarios

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("sayna_clock")]


class Stubborn(BookingAgent):
    """Hears every word, and stops for none."""

    async def stop_talking(self) -> None:
        pass


@asynccontextmanager
async def connected(
    server: FakeSaynaServer, agent: type[BookingAgent] = BookingAgent
) -> AsyncIterator[Caller]:
    """Somebody on the line to an agent, who hangs up at the end."""
    call = asyncio.create_task(agent(server.url).run())
    caller = server.caller(await server.wait_for_session())
    try:
        yield caller
    finally:
        await caller.hangs_up()
        await call


@pytest_asyncio.fixture
async def caller(sayna_server: FakeSaynaServer) -> AsyncIterator[Caller]:
    async with connected(sayna_server) as caller:
        yield caller


async def interrupt_the_greeting(caller: Caller) -> None:
    """Talk over the greeting, and look at what was heard of it: sound, not messages."""
    await caller.interrupts("I would like a table", after=0.8)
    await caller.hears("how many people")
    greeting, question = caller.heard
    assert greeting.cut
    assert GREETING.startswith(greeting.text)
    assert len(greeting.text) < len(GREETING) / 2
    assert greeting.end < caller.spoke[0].recognised + 0.1
    assert not question.cut


async def test_it_stops_when_it_is_talked_over(caller: Caller) -> None:
    await interrupt_the_greeting(caller)


async def test_an_agent_that_does_not_stop_is_found_out(sayna_server: FakeSaynaServer) -> None:
    async with connected(sayna_server, Stubborn) as caller:
        with pytest.raises(AssertionError):
            await interrupt_the_greeting(caller)
        assert caller.heard[0].text == GREETING
        assert not caller.heard[0].cut
    with pytest.raises(ExpectationError, match="expected: clear"):
        await scenarios.named("barge-in").play(sayna_server, lambda url: Stubborn(url).run())


async def test_it_stops_at_each_interruption(caller: Caller) -> None:
    await caller.interrupts("I would like a table", after=0.8)
    await caller.interrupts("Four people", after=0.5)
    await caller.interrupts("Friday", after=0.5)
    await caller.hears("what time")
    assert [heard.cut for heard in caller.heard] == [True, True, True, False]


async def test_a_noise_does_not_stop_it(caller: Caller) -> None:
    await caller.agent_speaks(after=0.8)
    await caller.makes_noise(1.5)
    assert await caller.hears("how can I help") == GREETING


BOOKING = {
    "I would like to book a table, please": "how many people",
    "We are four": "which day",
    "On Friday": "what time",
    "At 8, if you can": "what name",
    "The name is Rowan Pike": "four people on Friday at 8, under the name of Rowan Pike",
}


async def book(caller: Caller) -> None:
    """Give all answers, up to the last question: whether all of it is right."""
    await caller.hears("how can I help")
    for said, answer in BOOKING.items():
        await caller.says(said)
        await caller.hears(answer)


async def test_a_table_is_booked(caller: Caller) -> None:
    await book(caller)
    await caller.says("That is right")
    await caller.hears("your table is booked")
    await caller.says("No, that is all")
    await caller.hears("Goodbye")
    assert caller.latency() < 0.1


async def test_a_booking_that_is_not_right_is_begun_again(caller: Caller) -> None:
    await book(caller)
    await caller.says("Perhaps")
    await caller.hears("Is that right?")
    await caller.says("No, that is not right")
    await caller.hears("how many people")


async def test_words_in_pieces_are_one_answer(caller: Caller) -> None:
    await caller.says("I would like a table")
    await caller.says("We would be", end_of_speech=False)
    await caller.says("four", end_of_speech=False)
    await caller.hears("which day")


async def test_it_hangs_up_on_a_caller_who_never_speaks(caller: Caller, sayna_clock: Clock) -> None:
    await caller.hears("how can I help")
    await caller.hears("are you still there", within=10)
    await caller.hears("I will hang up", within=10)
    await caller.hung_up(within=10)
    assert 20 < sayna_clock.elapsed < 40


async def test_it_hangs_up_after_goodbye(caller: Caller) -> None:
    await caller.says("Is there parking, by the way?")
    await caller.hears("car park")
    await caller.says("Thank you, goodbye")
    await caller.hears("Thank you for calling")
    await caller.hung_up(within=10)


async def test_speech_that_fails_again_and_again_is_not_tried_for_ever(caller: Caller) -> None:
    await caller.hears("how can I help")
    await caller.session.speech_fails("Provider error: overloaded")
    await caller.session.speech_fails("Provider error: overloaded")
    await caller.says("A table")
    await caller.stays_silent(3)
    said = [entry.data["text"] for entry in caller.entries if entry.kind == "speak"]
    assert said == [GREETING, *[said[1]] * 2]
    assert [heard.text for heard in caller.heard] == [GREETING]


async def test_a_lost_conversation_is_taken_up_where_it_was(
    caller: Caller, sayna_server: FakeSaynaServer
) -> None:
    await caller.says("A table")
    await caller.hears("how many people")
    sayna_server.faults.connection_delayed(9)
    await caller.session.drop()
    again = sayna_server.caller(await sayna_server.wait_for_session(timeout=15))
    await again.hears("We were cut off, sorry. Of course. For how many people")
    assert [heard.text for heard in caller.heard if "there?" in heard.text] == []
    await again.hangs_up()


@pytest.mark.parametrize("scenario", scenarios.sessions(), ids=str)
async def test_it_copes(scenario: scenarios.Scenario, sayna_server: FakeSaynaServer) -> None:
    await scenario.play(sayna_server, run)

"""The agent on the telephone: a fake Sayna, a fake model, real web application, real sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from phone_agent.app import make_app
from phone_agent.conversation import GREETING
from sayna_testing import WEBHOOK_SECRET, Clock, FakeSaynaServer, WebhookSigner, deliver, scenarios
from sayna_testing.speech import recognize

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("sayna_clock")]
RECEPTION = "+442079460123"

ANSWERS = {
    "appointment": "Of course. We have a place on Friday at nine. Shall I put you down for it?",
    "person": "I will put you through. [hand over]",
    "wait": "Take your time.",
}


class FakeModel:
    """Streams an answer by key word, a word every 50 ms, and remembers which it finished."""

    def __init__(self) -> None:
        self.finished: list[str] = []

    async def reply(self, history: list[tuple[str, str]]) -> AsyncIterator[str]:
        said = history[-1][1]
        found = [answer for word, answer in ANSWERS.items() if word in said.lower()]
        answer = found[0] if found else "Could you say that in other words?"
        for word in answer.replace("[hand over]", "[hand_over]").split():
            await asyncio.sleep(0.05)
            yield f"{word.replace('_', ' ')} "
        self.finished.append(said)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def agent(sayna_server: FakeSaynaServer, model: FakeModel) -> FastAPI:
    return make_app(sayna_server.url, model, secret=WEBHOOK_SECRET, reception=RECEPTION)


async def test_it_speaks_its_first_sentence_while_the_model_is_still_at_it(
    sayna_server: FakeSaynaServer, agent: FastAPI, model: FakeModel
) -> None:
    async with sayna_server.call(webhook=agent) as caller:
        await caller.hears("how can I help")
        await caller.says("I need an appointment")
        await caller.hears("of course", within=0.5, partial=True)
        assert model.finished == []
        await caller.hears("Friday at nine")
        await caller.hears("Shall I put you down")
        assert caller.latency() < 0.5


async def test_it_stops_when_it_is_talked_over(
    sayna_server: FakeSaynaServer, agent: FastAPI
) -> None:
    async with sayna_server.call(webhook=agent) as caller:
        await caller.interrupts("No, wait", after=0.8)
        await caller.hears("Take your time")
        greeting, answer = caller.heard
        assert greeting.cut
        assert GREETING.startswith(greeting.text)
        assert len(greeting.text) < len(GREETING) / 2
        assert not answer.cut


async def test_it_gives_up_an_answer_nobody_waits_for(
    sayna_server: FakeSaynaServer, agent: FastAPI, model: FakeModel, sayna_clock: Clock
) -> None:
    async with sayna_server.call(webhook=agent) as caller:
        await caller.hears("how can I help")
        await caller.says("I need an appointment")
        await sayna_clock.advance(0.2)
        await caller.hangs_up()
    assert model.finished == []


async def test_it_hands_a_call_over(sayna_server: FakeSaynaServer, agent: FastAPI) -> None:
    async with sayna_server.call(webhook=agent) as caller:
        await caller.hears("how can I help")
        await caller.says("Can I speak to a person")
        transfer = await caller.session.wait_for("sip_transfer")
        assert transfer.data["transfer_to"] == RECEPTION
        await caller.hung_up()


async def test_the_recording_holds_both_sides(
    sayna_server: FakeSaynaServer, agent: FastAPI
) -> None:
    async with sayna_server.call(webhook=agent) as caller:
        await caller.hears("how can I help")
        await caller.says("Wait a moment")
        await caller.hears("Take your time")
        stream_id = caller.room.name
    recording = sayna_server.recordings.get(stream_id)
    assert recording is not None
    assert not isinstance(recording, bytes)
    text = recognize(recording.mixed(16000), sample_rate=16000)
    assert GREETING in text
    assert "Wait a moment" in text


async def test_a_call_announced_by_somebody_else_is_refused(
    sayna_server: FakeSaynaServer, agent: FastAPI
) -> None:
    forged = WebhookSigner("another-secret-of-the-right-length").sip_call()
    assert (await deliver(forged, agent)).status == 401
    assert sayna_server.sessions == ()


@pytest.mark.parametrize(
    "name",
    [
        "barge-in",
        "rapid-double-barge-in",
        "mid-sentence-pause",
        "forced-end-of-speech",
        "slow-speaker",
        "noise-over-speech",
        "hang-up-in-speech",
        "message-from-the-room",
        "second-participant-joins",
    ],
)
async def test_it_copes(sayna_server: FakeSaynaServer, agent: FastAPI, name: str) -> None:
    await scenarios.named(name).play(sayna_server, agent)

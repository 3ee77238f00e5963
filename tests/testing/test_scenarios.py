"""Scenarios: an agent that does everything right passes each, one with a flaw fails it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from sayna_testing import scenarios
from sayna_testing.clock import virtual_time
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scenarios import Lines, Scenario
from sayna_testing.scripts import dumps, loads
from tests.testing.agents import STT, TTS
from tests.testing.talker import talker, talker_app


def play_on_the_phone(scenario: Scenario, flaw: str = "") -> None:
    with virtual_time(), FakeSaynaServer() as server:
        asyncio.run(scenario.play(server, talker_app(server.url, flaw)))


def play_in_a_session(scenario: Scenario, flaw: str = "") -> None:
    with virtual_time(), FakeSaynaServer() as server:
        asyncio.run(scenario.play(server, talker(flaw)))


@pytest.mark.parametrize("scenario", scenarios.calls(), ids=str)
def test_a_good_agent_on_the_phone_copes(scenario: Scenario) -> None:
    play_on_the_phone(scenario)


@pytest.mark.parametrize("scenario", scenarios.sessions(), ids=str)
def test_a_good_agent_in_a_session_copes(scenario: Scenario) -> None:
    play_in_a_session(scenario)


@pytest.mark.parametrize("scenario", scenarios.calls(), ids=str)
def test_a_flawed_agent_on_the_phone_is_caught(scenario: Scenario) -> None:
    with pytest.raises(ExpectationError):
        play_on_the_phone(scenario, scenario.catches)


@pytest.mark.parametrize("scenario", scenarios.sessions(), ids=str)
def test_a_flawed_agent_in_a_session_is_caught(scenario: Scenario) -> None:
    with pytest.raises(ExpectationError):
        play_in_a_session(scenario, scenario.catches)


def test_who_talks_into_a_session_that_is_being_closed_is_caught() -> None:
    """The server still executes what comes behind its Close (websocket.md 12)."""

    async def agent(server: FakeSaynaServer) -> None:
        config = {"stt_config": STT.model_dump(), "tts_config": TTS.model_dump()}
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect("http://sayna.invalid/ws", autoclose=False) as ws,
        ):
            await ws.send_json({"type": "config", **config})
            await ws.send_json({"type": "speak", "text": "Hello! How can I help you today?"})
            while (await ws.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
            await ws.send_json({"type": "speak", "text": "Hello?"})

    with virtual_time(), FakeSaynaServer() as server:
        play = scenarios.named("hang-up-in-speech").play(server, lambda _: agent(server))
        with pytest.raises(ExpectationError, match="no speak in this turn"):
            asyncio.run(play)


def test_there_are_many_each_with_a_name_and_a_sentence() -> None:
    both = {str(s): s for s in (*scenarios.calls(), *scenarios.sessions())}
    assert len(both) >= 25
    assert len({scenario.shows for scenario in both.values()}) == len(both)
    assert len({scenario.caller for scenario in both.values()}) == len(both)
    shared = set(map(str, scenarios.calls())) & set(map(str, scenarios.sessions()))
    assert set(map(str, scenarios.all())) == shared


def test_a_scenario_is_a_script_in_the_words_of_an_agents_callers() -> None:
    scenario = scenarios.named("barge-in", Lines(change="Stop, please"))
    script = loads(dumps(scenario.script))
    assert script == scenario.script
    assert [turn.caller.text for turn in script.turns if turn.caller] == ["Stop, please"]


def test_a_name_that_is_none_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(LookupError, match='no scenario "barg-in"; did you mean "barge-in"'):
        scenarios.named("barg-in")
    with pytest.raises(LookupError, match=r'no scenario "zzz" \(there are: greeting, silence'):
        scenarios.named("zzz")

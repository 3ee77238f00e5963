"""Scenarios: an agent that does everything right passes each, one with a flaw fails it."""

from __future__ import annotations

import asyncio

import pytest

from sayna_testing import scenarios
from sayna_testing.clock import virtual_time
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scenarios import Lines, Scenario
from sayna_testing.scripts import dumps, loads
from tests.testing.talker import talker, talker_app

FLAWS = {
    "greeting": "waits for participant_connected",
    "silence-after-greeting": "never asks whether anybody is there",
    "dead-air": "never asks whether anybody is there",
    "barge-in": "talks over the caller",
    "rapid-double-barge-in": "stops only once",
    "speech-into-the-protected-window": "deaf after protected speech",
    "one-word-answers": "ignores single words",
    "slow-speaker": "answers interims",
    "fast-speaker": "slow with interims",
    "very-long-utterance": "slow with interims",
    "late-final": "answers interims",
    "mid-sentence-pause": "answers every piece",
    "forced-end-of-speech": "waits for words at the end of speech",
    "duplicate-final": "answers twice",
    "changed-interims": "trips over changed interims",
    "out-of-order-interims": "trips over changed interims",
    "no-interims": "needs interims",
    "low-confidence": "ignores what it cannot be sure of",
    "caller-repeats": "answers nothing twice",
    "noise-without-words": "answers noise",
    "noise-over-speech": "stops for noise",
    "noise-then-speech": "answers noise",
    "recognition-lost": "silent when it is deaf",
    "synthesis-fails": "never says it again",
    "completion-lost": "waits for playback to complete",
    "results-delayed": "slow with interims",
    "hang-up-in-speech": "talks on after the hang-up",
    "hang-up-in-thought": "speaks into a closed line",
    "line-drops": "gives up when the line drops",
    "server-closes": "gives up when the line drops",
    "transfer-refused": "silent when a transfer fails",
    "message-from-the-room": "breaks on a message",
    "second-participant-joins": "leaves when somebody joins",
    "second-participant-leaves": "talks on after the hang-up",
}
ONLY_ON_THE_PHONE = {"hang-up-in-speech"}
"""In a session of its own the flawed agent is not told that its caller is gone."""


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
        play_on_the_phone(scenario, FLAWS[scenario.name])


@pytest.mark.parametrize(
    "scenario", [s for s in scenarios.sessions() if s.name not in ONLY_ON_THE_PHONE], ids=str
)
def test_a_flawed_agent_in_a_session_is_caught(scenario: Scenario) -> None:
    with pytest.raises(ExpectationError):
        play_in_a_session(scenario, FLAWS[scenario.name])


def test_there_are_many_each_with_a_name_and_a_sentence() -> None:
    both = {str(s): s for s in (*scenarios.calls(), *scenarios.sessions())}
    assert set(both) == set(FLAWS)
    assert len(both) >= 25
    assert len({scenario.shows for scenario in both.values()}) == len(both)
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

"""Scripts played: every anchor, every act of an agent, and what fails when it does not come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sayna_client import LiveKitConfig, SaynaClient, STTResultMessage
from sayna_testing.clock import virtual_time
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import Outcome, Script, loads
from tests.testing.agents import STT, TTS, EchoAgent, telephone_app

Do = Callable[[SaynaClient, str], Awaitable[object]]


def agent(do: Do, *, room: str | None = None, greeting: str = "Hello!") -> object:
    """An agent that greets, then does something with each final."""

    async def run(url: str) -> None:
        livekit = LiveKitConfig(room_name=room) if room else None
        client = SaynaClient(url, STT, TTS, livekit_config=livekit)

        async def on_result(result: STTResultMessage) -> None:
            if result.is_speech_final:
                await do(client, result.transcript)

        client.register_on_stt_result(on_result)
        await client.connect()
        try:
            if greeting:
                await client.speak(greeting)
            await asyncio.Event().wait()
        finally:
            await client.disconnect()

    return run


async def nothing(client: SaynaClient, text: str) -> None:
    """An agent that says no more."""


async def echo(client: SaynaClient, text: str) -> None:
    await client.speak(f"You said {text}.")


def perform(toml: str, tested: object | None = None) -> Outcome:
    script: Script = loads(f'name = "x"\n{toml}')
    with virtual_time(), FakeSaynaServer() as server:
        return asyncio.run(server.try_play(script, tested or EchoAgent.run_at))  # type: ignore[arg-type]


def passes(toml: str, tested: object | None = None) -> Outcome:
    outcome = perform(toml, tested)
    assert outcome.passed, [result.reason for result in outcome.turns]
    return outcome


def reason(toml: str, tested: object | None = None) -> str:
    outcome = perform(toml, tested)
    assert not outcome.passed
    return next(result.reason for result in outcome.turns if result.status == "failed")


GREETING = '[[turn]]\nagent = { contains = "hello" }\n'


def test_turns_are_played_in_order_and_told() -> None:
    outcome = passes(
        GREETING + '[[turn]]\ncaller = "a table"\nagent = { equals = "You said a table." }\n'
        "[[turn]]\nhang_up = true\n",
        agent(echo),
    )
    said = [(line.who, line.text) for result in outcome.turns for line in result.said]
    assert said == [
        ("agent", "Hello!"),
        ("caller", "a table"),
        ("agent", "You said a table."),
        ("caller", "(hangs up)"),
    ]
    times = [line.at for result in outcome.turns for line in result.said]
    assert times == sorted(times)
    assert outcome.duration >= times[-1]
    outcome.check()


def test_a_turn_that_fails_ends_the_script_and_the_rest_is_not_run() -> None:
    outcome = perform(
        GREETING + '[[turn]]\ncaller = "hi"\nagent = { contains = "never" }\n'
        "[[turn]]\nhang_up = true\n",
        agent(echo),
    )
    assert [result.status for result in outcome.turns] == ["passed", "failed", "not run"]
    assert not outcome.passed
    with pytest.raises(ExpectationError, match=r"<script>:4: expected: the caller to hear"):
        outcome.check()


@pytest.mark.parametrize(
    ("anchor", "tested"),
    [
        ("ready", agent(nothing)),
        ("speak", agent(nothing)),
        ("speech_started", agent(nothing)),
        ("speech_ended", agent(nothing)),
    ],
)
def test_a_turn_waits_for_its_anchor(anchor: str, tested: object) -> None:
    turn = f'[[turn]]\nafter = {{ event = "{anchor}", delay = "100ms" }}\ncaller = "now"\n'
    outcome = passes(turn, tested)
    expected = {"ready": 0.1, "speak": 0.1, "speech_started": 0.1, "speech_ended": 0.6}[anchor]
    assert outcome.turns[0].said[0].at == pytest.approx(expected, abs=0.2)


ACTS: dict[str, Do] = {
    "clear": lambda client, _: client.clear(),
    "message": lambda client, _: client.send_message("ok", "assistant", topic="t"),
    "transfer": lambda client, _: client.sip_transfer("+442079460002"),
    "loading_started": lambda client, _: client.loading_start(),
    "loading_stopped": lambda client, _: client.loading_stop(),
    "interim": nothing,
    "final": nothing,
}


@pytest.mark.parametrize("anchor", ACTS)
def test_a_turn_waits_for_what_the_agent_did(anchor: str) -> None:
    script = (
        '[[turn]]\ncaller = "go"\n'
        f'[[turn]]\nafter = {{ event = "{anchor}", within = "1s" }}\nwait = "10ms"\n'
    )
    passes(script, agent(ACTS[anchor], room="r", greeting=""))


def test_an_anchor_that_does_not_come_fails_the_turn() -> None:
    script = '[[turn]]\nafter = { event = "clear", within = "2s" }\ncaller = "x"\n'
    assert reason(script, agent(nothing)).startswith("expected: clear within 2 s")


@pytest.mark.parametrize(
    ("act", "wanted"),
    [
        ("clear", "clear = true"),
        ("message", 'message = { contains = "OK", topic = "t", role = "assistant" }'),
        ("transfer", 'transfer = "+442079460002"'),
        ("loading_started", 'loading = "start"'),
        ("loading_stopped", 'loading = "stop"'),
        ("final", "silent = 2.0"),
    ],
)
def test_the_agent_does_what_the_turn_demands(act: str, wanted: str) -> None:
    script = f'[[turn]]\ncaller = "go"\nagent = {{ {wanted} }}\n'
    passes(script, agent(ACTS[act], room="r", greeting=""))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ('clear = true, within = "1s"', "expected: clear within 1 s of the caller's first word"),
        ('message = { contains = "no" }', 'expected: message containing "no" within 5 s'),
        ('transfer = "+44"', "expected: transfer to +44 within 5 s"),
        ('loading = "start"', "expected: loading_start within 5 s"),
        ("hangs_up = true", "expected: the session to end within 5 s"),
        (
            'any = [{ equals = "a" }, { matches = "b$" }]',
            'expected: the caller to hear exactly "a" or matching "b$"',
        ),
    ],
)
def test_what_the_agent_does_not_do_fails_with_its_name(wanted: str, message: str) -> None:
    script = f'[[turn]]\ncaller = "go"\nagent = {{ {wanted} }}\n'
    assert reason(script, agent(nothing, greeting="")).startswith(message)


def test_a_wrong_message_is_shown_as_the_nearest() -> None:
    script = '[[turn]]\ncaller = "go"\nagent = { message = { contains = "no" } }\n'
    text = reason(script, agent(ACTS["message"], room="r", greeting=""))
    assert "nearest : agent  > send_message" in text


def test_speaking_where_silence_was_demanded_fails() -> None:
    script = '[[turn]]\ncaller = "go"\nagent = { silent = "1s" }\n'
    text = reason(script, agent(echo, greeting=""))
    assert text.startswith("expected: the agent to be silent for 1 s")
    assert "You said go." in text.splitlines()[1]


def test_one_of_several_texts_is_enough_and_heard_in_part() -> None:
    wanted = 'any = [{ equals = "nonsense" }, { contains = "you said" }], partial = true'
    script = f'[[turn]]\ncaller = "go on"\nagent = {{ {wanted} }}\n'
    passes(script, agent(echo, greeting=""))


def test_the_agent_hangs_up() -> None:
    async def leave(client: SaynaClient, text: str) -> None:
        await client.disconnect()

    passes('[[turn]]\ncaller = "go"\nagent = { hangs_up = true }\n', agent(leave, greeting=""))


def test_a_barge_in_is_timed_from_the_callers_first_word() -> None:
    script = (
        "[[turn]]\n"
        'after = { event = "speech_started", delay = "400ms" }\n'
        'caller = { text = "no, wait", wpm = 200 }\n'
        'agent = { clear = true, within = "150ms" }\n'
        'never = ["sip_transfer"]\n'
    )
    passes(script)
    assert "expected: clear" in reason(script, agent(nothing, greeting="A very long greeting."))


def test_what_must_never_come_fails_the_turn() -> None:
    script = '[[turn]]\ncaller = "go"\nagent = { contains = "said" }\nnever = ["speak"]\n'
    assert reason(script, agent(echo, greeting="")).startswith("expected: no speak in this turn")


def test_a_turn_is_repeated() -> None:
    script = '[[turn]]\ncaller = "go"\nagent = { contains = "you said" }\nrepeat = 3\n'
    outcome = passes(script, agent(echo, greeting=""))
    assert [line.text for line in outcome.turns[0].said] == ["go", "You said go."] * 3


def test_noise_is_no_speech() -> None:
    passes('[[turn]]\nnoise = "2s"\nagent = { silent = "1s" }\n', agent(echo, greeting=""))


def test_messages_and_participants_come_in_a_call() -> None:
    script = (
        GREETING + '[[turn]]\nparticipant = { joins = "guest" }\n'
        'message = { text = "hi", topic = "chat", from = "guest" }\n[[turn]]\nwait = "100ms"\n'
    )
    loaded = loads(f'name = "x"\n{script}')
    with virtual_time(), FakeSaynaServer() as server:
        outcome = asyncio.run(server.play(loaded, telephone_app(server.url)))
    assert outcome.passed
    kinds = [entry.kind for entry in outcome.entries if entry.flow == "<"]
    assert "participant_connected" in kinds
    assert "message" in kinds


def test_a_guest_that_leaves_ends_the_session() -> None:
    script = (
        GREETING + '[[turn]]\nparticipant = { joins = "guest" }\nwait = "100ms"\n'
        '[[turn]]\nparticipant = { leaves = "guest" }\n[[turn]]\nwait = "200ms"\n'
    )
    loaded = loads(f'name = "x"\n{script}')
    with virtual_time(), FakeSaynaServer() as server:
        outcome = asyncio.run(server.play(loaded, telephone_app(server.url)))
    assert "participant_disconnected" in [entry.kind for entry in outcome.entries]


def test_messages_need_a_room() -> None:
    text = reason('[[turn]]\nmessage = { text = "hi" }\n', agent(nothing))
    assert "need a room" in text


def test_an_agent_that_breaks_down_is_reported_with_its_error() -> None:
    async def broken(url: str) -> None:
        raise KeyError("no such setting")

    with pytest.raises(ExpectationError, match="the agent broke down: KeyError") as caught:
        perform(GREETING, broken)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_agent_that_breaks_down_in_the_middle_is_reported() -> None:
    async def broken(url: str) -> None:
        async with SaynaClient(url, STT, TTS) as client:
            await client.connect()
            await client.speak("Hello!")
            await asyncio.sleep(2)
            raise ValueError("out of words")

    with pytest.raises(ExpectationError, match="ValueError: out of words"):
        perform(GREETING + '[[turn]]\nagent = { contains = "more" }\n', broken)


def test_an_agent_that_fails_while_it_ends_is_reported() -> None:
    async def broken(url: str) -> None:
        async with SaynaClient(url, STT, TTS) as client:
            await client.connect()
            await client.speak("Hello!")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
            raise ValueError("cannot end")

    with pytest.raises(ExpectationError, match="cannot end"):
        perform(GREETING, broken)


def test_a_running_agent_is_played_with_and_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.sayna.toml"
    path.write_text(f'name = "x"\n{GREETING}')

    async def both(server: FakeSaynaServer) -> Outcome:
        task = asyncio.create_task(EchoAgent(server.url).run())
        outcome = await server.play(path)
        task.cancel()
        await asyncio.wait({task})
        return outcome

    with virtual_time(), FakeSaynaServer() as server:
        assert asyncio.run(both(server)).passed

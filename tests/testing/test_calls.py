"""Callers: what they say arrives as transcripts, what they hear is read from the sound itself."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator

import pytest
from aiohttp import web
from fastapi import FastAPI, Request

from sayna_client import LiveKitConfig, SaynaClient
from sayna_testing.clock import virtual_time
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from tests.testing.agents import STT, TTS, EchoAgent, telephone_app


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with virtual_time(), FakeSaynaServer() as server:
        yield server


def test_a_caller_on_the_telephone_hears_and_is_heard(server: FakeSaynaServer) -> None:
    async def call() -> None:
        app = telephone_app(server.url)
        async with server.call(from_="+447700900456", to="+442079460001", webhook=app) as caller:
            assert await caller.hears("how can I help") == "Hello! How can I help?"
            delivered = await caller.says("a table for two")
            assert str(delivered) == "a table for two"
            assert delivered.interims == ("a", "a table", "a table for", "a table for two")
            assert await caller.hears(re.compile(r"table")) == "You said: a table for two."
            assert caller.session.config["livekit"]["room_name"] == caller.room.name
            assert caller.room.name.startswith("sip-_+447700900456_")
        assert caller.session.closed

    asyncio.run(call())
    kinds = [e.kind for e in server.journal if e.flow == "*" or e.kind == "track_subscribed"]
    assert kinds[:3] == ["room_created", "participant_joined", "track_published"]
    assert kinds.count("webhook") == 1
    subscribed = [e for e in server.journal if e.kind == "track_subscribed"]
    assert [e.data["track"]["identity"] for e in subscribed] == ["sip_+447700900456"]
    assert not [e for e in server.journal if e.kind == "participant_connected"]


def test_a_wait_that_has_no_time_left_still_finds_what_came(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("how can I help")
            assert await caller.session.wait_for_speech(timeout=0) == "Hello! How can I help?"

    asyncio.run(call())


def test_an_agent_has_ended_once_its_call_is_left(server: FakeSaynaServer) -> None:
    async def converse(room: str) -> None:
        async with SaynaClient(server.url, STT, TTS, LiveKitConfig(room_name=room)).connect() as me:
            await me.wait_for("closed")

    async def call() -> None:
        app, tasks = FastAPI(), list[asyncio.Task[None]]()

        @app.post("/sayna")
        async def incoming(request: Request) -> None:
            hook = await request.json()
            tasks.append(asyncio.create_task(converse(hook["room"]["name"])))

        async with server.call(webhook=app):
            pass
        assert [task.done() for task in tasks] == [True]

    asyncio.run(call())


def test_a_barge_in_is_proved_on_the_sound(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.interrupts("no, wait", after=0.4)
            await caller.hears("you said: no, wait.")
            greeting, answer = caller.heard
            assert greeting.cut
            assert "Hello! How can I help?".startswith(greeting.text)
            assert 3 < len(greeting.text) < 15
            assert answer.text == "You said: no, wait."
            assert [(t.who, t.text) for t in caller.turns] == [
                ("agent", greeting.text),
                ("caller", "no, wait"),
                ("agent", "You said: no, wait."),
            ]

    asyncio.run(call())


def test_an_agent_without_barge_in_talks_on(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url, barge_in=False)) as caller:
            await caller.interrupts("no, wait", after=0.4)
            await caller.hears("You said")
            assert [u.cut for u in caller.heard] == [False, False]

    asyncio.run(call())


def test_latency_is_measured_at_the_ear_and_missing_answers_fail_every_limit(
    server: FakeSaynaServer,
) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            assert caller.latency() == math.inf
            await caller.hears("help")
            await caller.says("one")
            await caller.hears("one")
            await caller.says("two")
            await caller.hears("two")
            assert caller.latency() < 0.1
            assert caller.latency(50) <= caller.latency()
            assert len(caller.latencies) == 2
            await caller.says("goodbye")
            assert caller.latencies[-1] == math.inf

    asyncio.run(call())


def test_what_is_not_said_fails_with_reasons_field_by_field(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("price list", within=1.0)

    with pytest.raises(ExpectationError) as caught:
        asyncio.run(call())
    words = 'the caller to hear containing "price list" within 1 s'
    assert (words, False) in [(wait.expected, wait.met) for wait in server.journal.waits]
    lines = str(caught.value).splitlines()
    assert lines[0] == f"expected: {words}"
    assert 'speak     "Hello! How can I help?"' in lines[1]
    assert 'text: no "price list" in it   timing: ok' in lines[1]


@pytest.mark.parametrize(
    ("own", "source"),
    [
        (None, "sayna_testing.WEBHOOK_SECRET, as SAYNA_WEBHOOK_SECRET is not set"),
        ("another-secret-of-sixteen", "SAYNA_WEBHOOK_SECRET of the environment"),
    ],
)
def test_a_webhook_refused_for_its_signature_tells_what_signed_it(
    server: FakeSaynaServer, monkeypatch: pytest.MonkeyPatch, own: str | None, source: str
) -> None:
    monkeypatch.delenv("SAYNA_WEBHOOK_SECRET", raising=False)
    if own:
        monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", own)

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=401)

    async def call() -> None:
        app = web.Application()
        app.router.add_post("/sayna", refuse)
        async with server.call(to="+442071838750", webhook=app):
            pytest.fail("nobody answered")

    with pytest.raises(ExpectationError) as caught:
        asyncio.run(call())
    nearest = str(caught.value).splitlines()[1]
    assert 'to="+442071838750" answered=401' in nearest
    assert nearest.endswith(f"signed with {source}")
    assert own is None or own not in str(caught.value)


def test_an_agent_that_says_nothing_is_told_so(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.interrupts("hello?", within=3.0)

    with pytest.raises(ExpectationError, match="the agent to speak within 3 s"):
        asyncio.run(call())


def test_enough_is_heard_before_the_end(server: FakeSaynaServer) -> None:
    async def call() -> tuple[float, float]:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("hello", partial=True)
            early = server.journal.now
            await caller.quiet()
            return early, server.journal.now

    early, end = asyncio.run(call())
    assert 0.2 < early < end / 2


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (503, r'answered with 2xx, got 503: \{"from":"\+447700900123"\}'),
        (202, r"a session in the room 'sip-_\+447700900123_....' within 5 s of the webhook"),
    ],
)
def test_a_call_nobody_takes_fails_with_the_answer(
    server: FakeSaynaServer, status: int, message: str
) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url, status=status)):
            pytest.fail("nobody answered")

    with pytest.raises(ExpectationError, match=message):
        asyncio.run(call())


def test_a_call_goes_to_the_registered_hook(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(to="sip:4021@Acme-Voice.example"):
            pytest.fail("there is no hook")

    with pytest.raises(LookupError, match=r"no SIP hook is registered for 'acme-voice.example'"):
        asyncio.run(call())


def test_the_agent_hangs_up(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.says("goodbye")
            await caller.hung_up(within=2.0)
            assert not caller.present

    asyncio.run(call())


def test_the_user_of_a_plain_session_is_a_caller_too(server: FakeSaynaServer) -> None:
    async def call() -> None:
        agent = asyncio.create_task(EchoAgent(server.url).run())
        caller = server.caller(await server.wait_for_session(), wpm=200)
        await caller.interrupts("stop", after=0.5)
        await caller.hears("You said: stop.")
        assert caller.heard[0].cut
        await caller.stays_silent(1.0)
        await caller.makes_noise(1.5)
        await caller.says("goodbye")
        await caller.hung_up()
        await agent
        with pytest.raises(ExpectationError, match="need a room"):
            await caller.sends("hello")
        with pytest.raises(ExpectationError, match="need a room"):
            await caller.others(joins="guest")

    asyncio.run(call())


def test_two_calls_at_once_do_not_hear_each_other(server: FakeSaynaServer) -> None:
    async def one(number: str, words: str) -> str:
        async with server.call(from_=number, webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.says(words)
            return await caller.hears("you said")

    async def both() -> list[str]:
        return list(
            await asyncio.gather(one("+447700900001", "first"), one("+447700900002", "second"))
        )

    assert asyncio.run(both()) == ["You said: first.", "You said: second."]


def test_somebody_joins_by_browser_says_sends_and_leaves(server: FakeSaynaServer) -> None:
    async def call() -> None:
        agent = asyncio.create_task(EchoAgent(server.url, "lobby").run())
        await server.wait_for_session()
        guest = server.join("lobby", "guest-1", name="Ann")
        await guest.says("hello")
        assert await guest.hears("you said") == "You said: hello."
        await guest.sends("typing", "chat")
        await guest.others(joins="guest-2")
        await guest.hangs_up()
        await agent
        assert guest.identity in repr(guest)

    asyncio.run(call())
    assert [e.data["text"] for e in server.journal if e.kind == "room_data"] == ["typing"]


CALLEE = "+447700900123"


def test_who_is_called_speaks_and_listens_like_a_caller(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with SaynaClient(server.url, STT, TTS, LiveKitConfig(room_name="r")).connect() as me:
            await me.speak("Is anybody there?")
            await me.sip_call("r", "Cal Lee", "callee", "+442071838750", CALLEE)
            callee = await server.wait_for_callee(CALLEE)
            await me.speak("Your table is free now.")
            assert await callee.hears("free now") == "Your table is free now."
            assert [utterance.text for utterance in callee.heard] == ["Your table is free now."]
            assert (await callee.says("thank you")).final == "thank you"
            assert callee.session.config["livekit"]["room_name"] == "r"
            await me.remove_livekit_participant("r", "callee")
            await callee.hung_up(within=1)

    server.answers(CALLEE, after=3)
    asyncio.run(call())
    asyncio.run(call())  # another one, who takes nothing of the first for its own


def test_who_does_not_pick_up_is_told(server: FakeSaynaServer) -> None:
    async def call() -> None:
        server.answers(CALLEE, outcome="busy")
        async with SaynaClient(server.url, without_audio=True) as me:
            await me.sip_call("r", "Cal Lee", "callee", "+442071838750", CALLEE)
            words = r"\+447700900123 to be called and to answer within 2 s"
            with pytest.raises(ExpectationError, match=words):
                await server.wait_for_callee(CALLEE, timeout=2)
            with pytest.raises(ValueError, match="Invalid character"):
                await server.wait_for_callee("nobody")

    asyncio.run(call())


def test_who_joins_later_has_not_heard_what_was_said_before(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with SaynaClient(server.url, STT, TTS, LiveKitConfig(room_name="r")).connect() as me:
            first = server.join("r", "first")
            await me.speak("Nobody else is here.")
            await first.hears("nobody else")
            late = server.join("r", "late")
            await me.speak("Welcome to you both!")
            assert await late.hears("welcome") == "Welcome to you both!"
            assert [u.text for u in late.heard] == ["Welcome to you both!"]
            assert [u.text for u in first.heard] == ["Nobody else is here.", "Welcome to you both!"]

    asyncio.run(call())


def test_nobody_in_the_room_is_told_as_the_reason(server: FakeSaynaServer) -> None:
    async def call() -> None:
        guest = server.join("empty", "guest-1")
        delivered = await guest.says("is anybody there")
        assert set(delivered.dropped) == {"no session listens to 'guest-1'"}
        with pytest.raises(LookupError, match="no agent is in the room 'empty'"):
            _ = guest.session

    asyncio.run(call())


def test_odd_recognition_is_delivered_as_asked(server: FakeSaynaServer) -> None:
    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            delivered = await caller.says(
                "two three",
                interims=["free", "two"],
                late=1.0,
                duplicate=True,
                hesitation=0.2,
                confidence=0.5,
                end_of_speech=False,
            )
            assert delivered.interims == ("free", "two")
            assert len(caller.spoke) == 1

    asyncio.run(call())
    finals = [e for e in server.journal if e.kind == "stt_result" and e.data["is_final"]]
    assert [f.data["transcript"] for f in finals][:2] == ["two three", "two three"]
    assert [f.data["is_speech_final"] for f in finals][:2] == [False, False]


def test_an_agent_that_waits_for_participant_connected_is_never_told(
    server: FakeSaynaServer,
) -> None:
    """The caller is in the room before Sayna joins (websocket.md 9.3)."""
    seen: list[str] = []

    async def call() -> None:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            seen.extend(e.kind for e in caller.entries)

    asyncio.run(call())
    assert "participant_connected" not in seen
    assert "track_subscribed" in seen

"""The four doors: who hears what, when, and what slow or failing handlers do to others."""

import asyncio
import gc
from typing import Any

import pytest

from sayna_client import (
    ConnectionClosed,
    ErrorMessage,
    HandlerError,
    Limits,
    SaynaClient,
    SaynaConnectionError,
    SaynaTimeoutError,
    SaynaValidationError,
    STTResultMessage,
    UnknownMessage,
)
from tests.client.peer import Wire, peer
from tests.client.session import client_of, finished, paused, result, talk


async def test_a_slow_handler_holds_back_only_its_own_lane() -> None:
    order: list[str] = []
    gate, done = asyncio.Event(), asyncio.Event()

    async def slow(message: STTResultMessage) -> None:
        order.append(message.transcript)
        await gate.wait()

    def on_audio(_: bytes) -> None:
        order.append("audio")
        gate.set()

    async with talk(result("a"), result("b"), b"\x00\x01") as client:
        client.on("stt_result", slow)
        client.on("tts_audio", on_audio)
        client.on("closed", lambda _: done.set())
        await client.connect()
        await done.wait()
        await client.disconnect()
    assert order == ["a", "audio", "b"]


async def test_wait_for_works_inside_a_handler() -> None:
    heard: list[int] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.send(result("hello"))
        await wire.receive_json()
        wire.send({"type": "tts_playback_complete", "timestamp": 7})
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        finished = asyncio.Event()

        async def answer(_: STTResultMessage) -> None:
            wait = asyncio.create_task(client.wait_for("tts_playback_complete", timeout=5))
            await client.speak("hi")
            heard.append((await wait).timestamp)
            finished.set()

        client.register_on_stt_result(answer)
        await client.connect()
        await finished.wait()
    assert heard == [7]


async def test_on_adds_and_register_replaces() -> None:
    heard: list[str] = []
    async with talk(result("x")) as client:
        client.register_on_stt_result(lambda _: heard.append("first"))
        client.register_on_stt_result(lambda _: heard.append("callback"))
        client.on("stt_result", lambda _: heard.append("handler"))
        client.once("stt_result", lambda _: heard.append("once"))
        removed: list[Any] = []
        client.on("stt_result", removed.append)
        client.off("stt_result", removed.append)
        async with client.connect():
            await finished(client)
    assert heard == ["callback", "handler", "once"]
    assert removed == []


async def test_once_is_called_once() -> None:
    heard: list[str] = []
    async with talk(result("a"), result("b")) as client:
        client.once("stt_result", lambda m: heard.append(m.transcript))
        async with client.connect():
            await finished(client)
    assert heard == ["a"]


async def test_none_unregisters_a_callback() -> None:
    heard: list[object] = []
    async with talk(result("a")) as client:
        client.register_on_stt_result(heard.append)
        client.register_on_stt_result(None)
        async with client.connect():
            await finished(client)
    assert heard == []


async def test_what_cannot_be_called_is_refused_at_once() -> None:
    client = SaynaClient("http://127.0.0.1:1", without_audio=True)
    with pytest.raises(SaynaValidationError, match="handler must be callable, got str"):
        client.register_on_stt_result("text")  # type: ignore[arg-type]
    with pytest.raises(SaynaValidationError, match="got int"):
        client.on("ready", 5)  # type: ignore[call-overload]
    with pytest.raises(SaynaValidationError, match="event must be one of"):
        client.on("speech", print)  # type: ignore[call-overload]


async def test_events_iterates_over_every_text_frame_to_the_end() -> None:
    async with talk(result("a"), {"type": "brand_new", "x": 1}, b"\x01\x02") as client:
        events, audio = client.events(), client.audio()
        async with client.connect():
            got = [event async for event in events]
            pieces = [piece async for piece in audio]
    assert [event.type for event in got] == ["ready", "stt_result", "brand_new"]
    assert pieces == [b"\x01\x02"]


async def test_an_iterator_that_is_dropped_leaves_nothing_behind() -> None:
    async with talk(*[result(str(n)) for n in range(50)], limits=Limits(events=10)) as client:
        events = client.events()
        async with client.connect():
            async for _ in events:
                break
            await paused(client)
            assert client.counters.waiting_events == 10
            del events
            gc.collect()
            await finished(client)
            assert client.counters.waiting_events == 0


async def test_a_closed_iterator_ends() -> None:
    async with talk(result("a"), result("b")) as client:
        events = client.events()
        async with client.connect():
            await finished(client)
            await events.aclose()
            assert [event async for event in events] == []


async def test_wait_for_takes_the_first_that_passes() -> None:
    async with talk(result("a"), result("b")) as client, client.connect():
        found = await client.wait_for("stt_result", lambda m: m.transcript == "b", timeout=5)
    assert found.transcript == "b"


async def test_wait_for_raises_what_its_check_raises() -> None:
    async with talk(result("a")) as client:
        wait = asyncio.create_task(client.wait_for("stt_result", lambda _: 1 / 0 > 1))  # type: ignore[arg-type, unused-ignore]
        async with client.connect():
            with pytest.raises(ZeroDivisionError):
                await wait


async def test_wait_for_ends_at_its_limit() -> None:
    client = SaynaClient("http://127.0.0.1:1", without_audio=True)
    with pytest.raises(SaynaTimeoutError, match=r"No stt_result within 0\.01 s"):
        await client.wait_for("stt_result", timeout=0.01)


async def test_wait_for_ends_with_the_session() -> None:
    async with talk() as client, client.connect():
        with pytest.raises(SaynaConnectionError, match="while waiting for stt_result"):
            await client.wait_for("stt_result")


async def test_a_failing_handler_is_told_to_handler_error() -> None:
    told: list[HandlerError] = []
    heard: list[str] = []

    def fail(message: STTResultMessage) -> None:
        heard.append(message.transcript)
        raise ValueError("mine")

    async with talk(result("a"), result("b")) as client:
        client.on("stt_result", fail)
        client.on("handler_error", told.append)
        async with client.connect():
            await finished(client)
        assert client.counters.handler_errors == 2
    assert heard == ["a", "b"]
    assert [(one.event, type(one.error), one.handler) for one in told] == [
        ("stt_result", ValueError, fail)
    ] * 2


async def test_a_failing_handler_is_logged_when_nobody_asks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: STTResultMessage) -> None:
        raise ValueError("mine")

    async with talk(result("a")) as client:
        client.on("stt_result", fail)
        async with client.connect():
            await finished(client)
    assert "A handler of stt_result raised ValueError" in caplog.text


async def test_strict_mode_raises_what_a_handler_raised() -> None:
    def fail(_: STTResultMessage) -> None:
        raise ValueError("mine")

    async with talk(result("a"), strict=True) as client:
        client.on("stt_result", fail)
        wait = asyncio.create_task(client.wait_for("message"))
        await client.connect()
        with pytest.raises(ValueError, match="mine"):
            await wait
        with pytest.raises(ValueError, match="mine"):
            await client.disconnect()
        await client.disconnect()


async def test_strict_mode_raises_several_as_a_group() -> None:
    def cancel(_: STTResultMessage) -> None:
        raise asyncio.CancelledError

    def fail(_: STTResultMessage) -> None:
        raise ValueError("mine")

    async with talk(result("a"), strict=True) as client:
        client.on("stt_result", cancel)
        client.on("stt_result", fail)
        await client.connect()
        while client.closed is None:  # noqa: ASYNC110 - waits fail with the handlers
            await asyncio.sleep(0)
        with pytest.raises(ExceptionGroup, match="handlers failed") as caught:
            await client.disconnect()
    assert [str(one) for one in caught.value.exceptions] == [
        "A handler of stt_result was cancelled from outside",
        "mine",
    ]


@pytest.mark.parametrize("kind", ["future", "task", "object"])
async def test_whatever_a_handler_returns_is_awaited_if_it_can_be(kind: str) -> None:
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    class Awaitable:
        def __await__(self) -> Any:
            return work().__await__()

    def handler(_: STTResultMessage) -> object:
        match kind:
            case "future":
                return asyncio.ensure_future(work())
            case "task":
                return asyncio.create_task(work())
            case _:
                return Awaitable()

    async with talk(result("a")) as client:
        client.on("stt_result", handler)
        async with client.connect():
            await done.wait()


async def test_a_cancelled_error_out_of_a_handler_does_not_end_the_session() -> None:
    heard: list[str] = []

    async def handler(message: STTResultMessage) -> None:
        heard.append(message.transcript)
        task = asyncio.create_task(asyncio.sleep(10))
        task.cancel()
        await task

    async with talk(result("a"), result("b")) as client:
        client.on("stt_result", handler)
        async with client.connect():
            await finished(client)
    assert heard == ["a", "b"]


async def test_several_slow_handlers_of_an_event_run_side_by_side() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def one(_: STTResultMessage) -> None:
        first.set()
        await second.wait()

    async def other(_: STTResultMessage) -> None:
        await first.wait()
        second.set()

    async with talk(result("a")) as client:
        client.on("stt_result", one)
        client.on("stt_result", other)
        async with client.connect():
            await second.wait()


async def test_sip_transfer_errors_fall_back_to_on_error() -> None:
    errors: list[ErrorMessage] = []
    async with talk({"type": "sip_transfer_error", "message": "No SIP participant"}) as client:
        client.register_on_error(errors.append)
        async with client.connect():
            await finished(client)
    assert errors == [ErrorMessage(message="No SIP participant")]


async def test_sip_transfer_errors_go_to_their_own_callback() -> None:
    errors: list[object] = []
    own: list[str] = []
    async with talk({"type": "sip_transfer_error", "message": "No SIP participant"}) as client:
        client.register_on_error(errors.append)
        client.register_on_sip_transfer_error(lambda m: own.append(m.message))
        async with client.connect():
            await finished(client)
    assert (errors, own) == ([], ["No SIP participant"])


async def test_unknown_frames_are_values() -> None:
    got: list[UnknownMessage] = []
    async with talk({"type": "closed", "when": "later"}) as client:
        client.on("unknown", got.append)
        async with client.connect():
            await finished(client)
        end = client.closed
    assert isinstance(end, ConnectionClosed)
    assert [(one.type, one.data) for one in got] == [
        ("closed", {"type": "closed", "when": "later"})
    ]


async def test_what_waits_stays_within_its_bounds() -> None:
    count, limit = 10_000, Limits(events=100, audio=64_000)
    gate = asyncio.Event()
    heard: list[str] = []

    async def stalled(message: STTResultMessage) -> None:
        await gate.wait()
        heard.append(message.transcript)

    async def script(wire: Wire) -> None:
        await wire.configured()
        for n in range(count):
            wire.send(result(str(n)))
            if n % 100 == 0:
                await wire.writer.drain()
        wire.close_frame()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=limit) as client:
        client.on("stt_result", stalled)
        await client.connect()
        await paused(client)
        assert client.counters.waiting_events == limit.events
        gate.set()
        await finished(client)
        await client.disconnect()
    assert heard == [str(n) for n in range(count)]


async def test_audio_that_waits_stays_within_its_bound() -> None:
    pieces = [bytes([n % 256]) * 1000 for n in range(200)]
    async with talk(*pieces, limits=Limits(audio=10_000)) as client:
        audio = client.audio()
        async with client.connect():
            await paused(client)
            assert client.counters.waiting_audio == 10_000
            assert [piece async for piece in audio] == pieces
            assert client.counters.audio == 200_000

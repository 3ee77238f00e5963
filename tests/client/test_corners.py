"""What is left: origins, borrowed sessions, unusual ends, policies."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sayna_client import (
    ConnectionClosed,
    Limits,
    LiveKitConfig,
    ReconnectPolicy,
    SaynaClient,
    SaynaConnectionError,
    SaynaHttpError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
    SaynaRefusedError,
    SaynaTimeoutError,
    STTConfig,
    STTResultMessage,
)
from sayna_client.origins import connector_for, register_origin
from sayna_client.reconnect import is_final
from sayna_client.timing import time_limit
from tests.client.http_peer import Answer, http_peer
from tests.client.peer import READY, Wire, peer
from tests.client.session import STT, TTS, client_of, finished, nothing_left, result, talk

QUICK = ReconnectPolicy(attempts=9, first_delay=0.001, longest_delay=0.002)


async def idle(wire: Wire) -> None:
    await wire.configured()
    await wire.receive_until_closed()


async def test_a_registered_origin_is_reached_through_its_connector() -> None:
    made: list[aiohttp.BaseConnector] = []

    def make() -> aiohttp.BaseConnector:
        made.append(aiohttp.TCPConnector())
        return made[-1]

    async with http_peer(Answer(body={"status": "OK"})) as server:
        port = int(server.url.rsplit(":", 1)[1])
        undo = register_origin("localhost", port, make)
        try:
            async with SaynaClient(f"ws://127.0.0.1:{port}/ws", without_audio=True) as client:
                await client.health()
            assert len(made) == 1
            assert made[0].closed
            assert connector_for(f"http://localhost:{port + 1}") is None
        finally:
            undo()
            undo()
        assert connector_for(server.url) is None


async def test_the_last_registration_of_an_origin_wins_and_ports_have_defaults() -> None:
    first, second = aiohttp.TCPConnector(), aiohttp.TCPConnector()
    undo_first = register_origin("example.test", 80, lambda: first)
    undo_second = register_origin("example.test", 80, lambda: second)
    assert connector_for("ws://EXAMPLE.test/ws") is second
    undo_second()
    assert connector_for("http://example.test") is first
    assert connector_for("https://example.test") is None
    undo_first()
    await first.close()
    await second.close()


async def test_a_borrowed_session_carries_the_socket_and_stays_open() -> None:
    async with aiohttp.ClientSession() as session:
        async with peer(idle) as url, client_of(url, session=session) as client:
            await client.connect()
            assert client.ready
        assert not session.closed


async def test_a_server_may_ping_and_pong_over_a_borrowed_session() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.frame(10, b"unasked")
        wire.send(result("a"))
        wire.close_frame()
        await wire.receive_until_closed()

    heard: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        peer(script) as url,
        client_of(url, session=session) as client,
    ):
        client.on("stt_result", lambda m: heard.append(m.transcript))
        await client.connect()
        await finished(client)
    assert heard == ["a"]


async def test_an_unexpected_failure_is_a_connection_error() -> None:
    client = SaynaClient(f"http://{'a' * 70}.invalid", without_audio=True)  # a label is too long
    with pytest.raises(SaynaConnectionError, match="Unexpected error during connection: "):
        await client.connect()


async def test_an_unawaited_connect_can_be_closed() -> None:
    client = SaynaClient("http://127.0.0.1:1", without_audio=True)
    client.connect().close()
    assert client.state == "disconnected"


async def test_nothing_is_pinged_without_a_heartbeat() -> None:
    async with talk(result("a"), limits=Limits(heartbeat=None)) as client:
        await client.connect()
        await finished(client)
    assert client.closed is not None
    assert client.closed.clean


@pytest.mark.parametrize(
    "text",
    [
        "loading_audio: bad base64",
        "Failed to set up TTS audio callback: x",
        "Failed to process audio: x",
        "STT streaming error: x",
        "TTS error: x",
    ],
)
async def test_some_errors_before_ready_are_no_refusals(text: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": text})
        wire.send(READY)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        assert client.ready


async def test_a_refusal_after_an_early_return_is_told_to_the_next_connect() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": "Unsupported provider: x"})
        wire.send({"type": "error", "message": "Unsupported provider: y"})
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(close=0.01)) as client:
        first = asyncio.create_task(client.connect(wait_ready=False))
        second = asyncio.create_task(client.connect())
        await first
        with pytest.raises(SaynaRefusedError, match="provider: x"):
            await second


async def test_connecting_again_waits_for_the_end_under_way() -> None:
    async def slow_to_close(wire: Wire) -> None:
        await wire.configured()
        await wire.reader.read()

    async with (
        peer(slow_to_close, idle) as url,
        client_of(url, limits=Limits(close=0.05)) as client,
    ):
        await client.connect()
        end = asyncio.create_task(client.disconnect())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert client.state == "closing"
        await client.connect()
        assert client.ready
        await end


async def leave_with_an_error(client: SaynaClient) -> None:
    async with client.connect():
        while client.counters.handler_errors == 0:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)
        raise KeyError("theirs")


async def test_leaving_with_an_error_raises_that_error_in_strict_mode() -> None:
    def fail(_: STTResultMessage) -> None:
        raise ValueError("mine")

    async with talk(result("a"), strict=True) as client:
        client.on("stt_result", fail)
        with pytest.raises(KeyError):
            await leave_with_an_error(client)
        with pytest.raises(ValueError, match="mine"):
            await client.disconnect()


async def test_livekit_sessions_are_not_reconnected_unless_asked() -> None:
    count: list[Wire] = []

    async def script(wire: Wire) -> None:
        count.append(wire)
        await wire.configured()
        if len(count) == 1:
            wire.drop()
        else:
            await wire.receive_until_closed()

    room = LiveKitConfig(room_name="r")
    stt = STTConfig(provider="d", model="m")
    async with peer(script) as url:
        async with SaynaClient(url, stt, TTS, room, reconnect=QUICK) as client:
            await client.connect()
            await finished(client)
        assert len(count) == 1
        count.clear()
        policy = ReconnectPolicy(first_delay=0.001, longest_delay=0.001, with_livekit=True)
        async with SaynaClient(url, stt, TTS, room, reconnect=policy) as client:
            await client.connect()
            while len(count) < 2 or not client.ready:  # noqa: ASYNC110 - a state has no event
                await asyncio.sleep(0)


async def test_livekit_properties_belong_to_the_session() -> None:
    ready = {
        "type": "ready",
        "stream_id": "s",
        "livekit_room_name": "r",
        "livekit_url": "wss://x",
        "sayna_participant_identity": "sayna-ai",
        "sayna_participant_name": "Sayna AI",
    }

    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send(ready)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        assert (client.livekit_room_name, client.livekit_url) == ("r", "wss://x")
        assert client.sayna_participant_identity == "sayna-ai"
        assert client.sayna_participant_name == "Sayna AI"
        assert client.received_stream_id == "s"
        await client.disconnect()
        assert client.livekit_room_name is client.livekit_url is None
        assert client.received_stream_id == "s"


async def test_a_refused_configuration_ends_reconnecting() -> None:
    async def first(wire: Wire) -> None:
        await wire.configured()
        wire.drop()

    async def then(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": "Unsupported provider: x"})
        await wire.receive_until_closed()

    async with peer(first, then) as url, client_of(url, reconnect=QUICK) as client:
        await client.connect()
        await finished(client)
    assert client.closed is not None
    assert "Unsupported provider: x" in client.closed.reason


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (SaynaConnectionError("x"), False),
        (SaynaConnectionError("x", status_code=429), False),
        (SaynaConnectionError("x", status_code=400), True),
        (SaynaConnectionError("x", status_code=403), True),
        (SaynaConnectionError("x", status_code=502), False),
        (SaynaConnectionError("x", close_code=1012), False),
        (SaynaConnectionError("x", close_code=1008), True),
        (SaynaTimeoutError("x"), False),
        (SaynaRefusedError("x"), True),
    ],
    ids=[str(n) for n in range(9)],
)
def test_some_failures_make_more_attempts_pointless(
    error: SaynaConnectionError, final: bool
) -> None:
    assert is_final(error) is final


async def test_waits_that_are_over_take_nothing_more() -> None:
    async with talk(result("a"), result("b")) as client:
        waits = [asyncio.create_task(client.wait_for("stt_result")) for _ in range(2)]
        await asyncio.sleep(0)
        waits[1].cancel()
        async with client.connect():
            assert (await waits[0]).transcript == "a"


async def test_off_leaves_the_others() -> None:
    heard: list[str] = []

    def one(_: STTResultMessage) -> None:
        heard.append("one")

    def other(_: STTResultMessage) -> None:
        heard.append("other")

    async with talk(result("a")) as client:
        client.register_on_stt_result(one)
        client.on("stt_result", other)
        client.off("stt_result", one)
        client.off("stt_result", print)
        async with client.connect():
            await finished(client)
    assert heard == ["other"]


async def test_a_time_limit_lets_other_timeouts_through() -> None:
    with pytest.raises(TimeoutError, match="inner") as caught:
        async with time_limit(5, "outer"):
            raise TimeoutError("inner")
    assert not isinstance(caught.value, SaynaTimeoutError)


async def test_speech_that_cannot_be_sent_is_not_waited_for() -> None:
    limits = Limits(send=0.05, close=0.02)
    async with peer(silent_reader) as url, client_of(url, limits=limits) as client:
        await client.connect()
        with pytest.raises(SaynaTimeoutError, match="Failed to send speak message"):
            await flood(client)
        async with asyncio.timeout(2):
            await client.disconnect()
    assert nothing_left() == []


async def flood(client: SaynaClient) -> None:
    for _ in range(100):
        await client.speak("x" * 1_000_000)


async def silent_reader(wire: Wire) -> None:
    await wire.configured()
    await asyncio.sleep(1)


async def test_an_error_answer_that_breaks_off_is_a_connection_error() -> None:
    cut = Answer(500, b"x", {"content-length": "100"}, hang_up=False)
    limits = Limits(close=0.01)
    async with http_peer(cut) as server, client_of(server.url, limits=limits) as client:
        with pytest.raises(SaynaTimeoutError):
            await client.health(timeout=0.05)


@pytest.mark.filterwarnings("ignore::sayna_testing.SaynaLeakWarning")  # it is left on purpose
def test_a_client_outlives_the_loop_it_was_left_open_in(sayna_server: Any) -> None:
    client = SaynaClient(sayna_server.url, STT, TTS)
    ends: list[ConnectionClosed] = []
    client.on("closed", ends.append)

    async def leave() -> None:
        await client.connect()
        assert client.ready

    for _ in range(2):
        asyncio.run(leave())
        assert client.state == "disconnected"
    shut_down = ConnectionClosed(None, "the event loop was shut down", "client", clean=False)
    assert ends == [shut_down, shut_down]
    gc.collect()


@pytest.mark.filterwarnings("ignore::sayna_testing.SaynaLeakWarning")  # it is left on purpose
def test_a_loop_shut_down_in_the_middle_of_a_handler_leaves_nothing_waiting(
    sayna_server: Any,
) -> None:
    client = SaynaClient(sayna_server.url, STT, TTS)

    async def stuck(_: STTResultMessage) -> None:
        await asyncio.sleep(60)

    async def leave() -> None:
        client.on("stt_result", stuck)
        await client.connect()
        session = await sayna_server.wait_for_session()
        await session.transcribe("one two three")
        while not client.counters.waiting_events:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)

    asyncio.run(leave())
    assert client.counters.waiting_events == 0


def test_a_session_of_another_loop_is_not_used_by_accident(sayna_server: Any) -> None:
    client = SaynaClient(sayna_server.url, STT, TTS)
    home = asyncio.new_event_loop()
    home.run_until_complete(client.connect())
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: client.speak("x"),
        client.clear,
        client.connect,
        client.disconnect,
    ]

    async def abroad(act: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(SaynaNotConnectedError, match="Not connected in this event loop"):
            await act()

    for act in acts:
        asyncio.run(abroad(act))
    assert client.ready
    home.run_until_complete(client.say("still there"))
    home.run_until_complete(client.disconnect())
    home.close()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.sayna(transport="tcp")
@pytest.mark.parametrize("seconds", [0.0, 0.2], ids=["connecting", "connected"])
def test_a_loop_that_is_just_closed_takes_its_session_with_it(
    sayna_server: Any, seconds: float
) -> None:
    client = SaynaClient(sayna_server.url, STT, TTS)
    home = asyncio.new_event_loop()
    task = home.create_task(client.connect())
    home.run_until_complete(asyncio.sleep(seconds))
    assert task.done() is bool(seconds)
    home.close()
    assert client.state == "disconnected"

    async def again() -> None:
        await client.disconnect()
        await client.connect()
        await client.say("back again")
        await client.disconnect()

    asyncio.run(again())
    del task
    gc.collect()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.sayna(transport="tcp")
@pytest.mark.parametrize("leave_first", [False, True], ids=["connect", "disconnect"])
def test_a_loop_that_is_just_closed_takes_its_handlers_with_it(
    sayna_server: Any, leave_first: bool
) -> None:
    client = SaynaClient(sayna_server.url, STT, TTS)
    home = asyncio.new_event_loop()

    async def stuck(_: STTResultMessage) -> None:
        await asyncio.sleep(60)

    async def until_one_waits() -> None:
        await client.connect()
        session = await sayna_server.wait_for_session()
        await session.transcribe("one two three")
        while not client.counters.waiting_events:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0.001)

    async def again() -> None:
        if leave_first:
            await client.disconnect()
        await client.connect()
        assert client.counters.waiting_events == 0
        await client.disconnect()

    client.on("stt_result", stuck)
    home.run_until_complete(until_one_waits())
    home.close()
    asyncio.run(again())
    gc.collect()


async def test_a_plain_handler_waits_for_the_slow_one_before_it_in_its_lane() -> None:
    order: list[str] = []

    async def slow(_: STTResultMessage) -> None:
        await asyncio.sleep(0.01)
        order.append("slow")

    vad = {"type": "vad_event", "event": "turn_end", "timestamp_ms": 1}
    async with talk(result("a"), vad, vad) as client:
        client.on("stt_result", slow)
        client.on("vad_event", lambda m: order.append(m.event))
        async with client.connect():
            await finished(client)
    assert order == ["slow", "turn_end", "turn_end"]


async def test_calls_at_the_same_time_are_all_waited_for() -> None:
    async with http_peer(Answer(body={"status": "OK"})) as server:
        client = client_of(server.url)
        calls = [asyncio.create_task(client.health()) for _ in range(2)]
        await asyncio.sleep(0)
        await client.disconnect()
        assert [(await call).status for call in calls] == ["OK", "OK"]


async def test_a_cancelled_disconnect_of_a_client_that_never_connected_lets_go() -> None:
    async with http_peer(Answer(never=True)) as server:
        client = client_of(server.url, limits=Limits(close=5))
        call = asyncio.create_task(client.health())
        while not server.seen:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.disconnect(), 0.02)
        with pytest.raises(SaynaConnectionError, match="the aiohttp session was closed"):
            await call


async def test_a_stream_that_is_refused_raises_the_servers_words() -> None:
    async with http_peer(Answer(404, {"error": "no such recording"})) as server:
        client = client_of(server.url)
        with pytest.raises(SaynaHttpError, match="no such recording"):
            async with client.stream_recording("s"):
                pass
        await client.disconnect()


async def test_commands_say_whether_it_is_too_early_or_too_late() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(close=0.01)) as client:
        await client.connect(wait_ready=False)
        with pytest.raises(SaynaNotReadyError):
            await client.send_message("m", "r")


async def test_a_configuration_is_read_from_json_like_from_arguments() -> None:
    given = STTConfig(provider="d", model="m")
    assert STTConfig.model_validate(given) is given
    with pytest.raises(ValueError, match="valid dictionary"):
        STTConfig.model_validate("deepgram")


async def test_a_stalled_server_that_reads_again_is_written_to_again() -> None:
    got: list[int] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        await asyncio.sleep(0.05)
        for _ in range(4):
            got.append(len((await wire.receive())[1]))
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await client.send_audio_stream([b"\x00" * 1_000_000] * 4, pace=None)
        while len(got) < 4:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0)
    assert got == [1_000_000] * 4


async def load_for_ever(client: SaynaClient) -> None:
    while True:
        await client.loading_start()
        await asyncio.sleep(0)


async def test_a_connection_lost_unseen_makes_sending_a_connection_error() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_json()
        wire.drop()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        with pytest.raises((SaynaConnectionError, SaynaNotConnectedError)):
            await load_for_ever(client)


async def test_an_error_answer_that_the_server_hangs_up_in_is_a_connection_error() -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{")

    async with peer(script) as url, client_of(url) as client:
        with pytest.raises(SaynaConnectionError, match="failed"):
            await client.health(retries=0)


async def test_a_server_that_is_not_there_is_asked_again_as_often_as_allowed(
    sayna_clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "sayna_client")
    async with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(SaynaConnectionError):
            await client.health(retries=2)
    assert len([one for one in caplog.messages if one.startswith("GET / again in")]) == 2
    assert sayna_clock.elapsed < 0.7


async def test_a_borrowed_session_survives_a_connection_that_fails() -> None:
    async with aiohttp.ClientSession() as session:
        client = client_of("http://127.0.0.1:1", session=session)
        with pytest.raises(SaynaConnectionError):
            await client.connect()
        assert not session.closed


async def test_a_wait_cancelled_by_the_check_of_another_takes_nothing() -> None:
    second: asyncio.Task[STTResultMessage]

    def takes_it_alone(_: STTResultMessage) -> bool:
        return second.cancel()

    async with talk(result("a"), result("b")) as client:
        first = asyncio.create_task(client.wait_for("stt_result", takes_it_alone))
        second = asyncio.create_task(client.wait_for("stt_result"))
        async with client.connect():
            assert (await first).transcript == "a"
            with pytest.raises(asyncio.CancelledError):
                await second


async def test_a_recording_that_breaks_off_is_a_connection_error() -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nOggS")

    async with (
        peer(script) as url,
        client_of(url) as client,
        client.stream_recording("s") as recording,
    ):
        with pytest.raises(SaynaConnectionError, match="GET /recording/s failed"):
            assert [piece async for piece in recording] == []

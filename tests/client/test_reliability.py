"""Peers that misbehave: nothing hangs, nothing leaks, nothing is lost unseen."""

import asyncio
import contextlib
import gc
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sayna_client import (
    ConnectionClosed,
    GoogleAuth,
    Limits,
    ReconnectPolicy,
    SaynaClient,
    SaynaConnectionError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
    SaynaTimeoutError,
    SaynaValidationError,
    STTConfig,
    STTResultMessage,
    TTSConfig,
)
from tests.client.peer import BINARY, PING, PONG, READY, Wire, header, peer
from tests.client.session import client_of, finished, nothing_left, result, talk

Script = Callable[[Wire], Awaitable[object]]
QUICK = ReconnectPolicy(attempts=50, first_delay=0.001, longest_delay=0.002, stable=0.0001)


async def client_is(client: SaynaClient, state: str) -> None:
    while client.state != state:  # noqa: ASYNC110 - a state has no event
        await asyncio.sleep(0)


async def idle(wire: Wire) -> None:
    await wire.configured()
    await wire.receive_until_closed()


async def silent(wire: Wire) -> None:
    """Answer nothing any more, not even pings, and keep the connection."""
    await wire.configured()
    await wire.reader.read()


async def test_a_dead_peer_is_noticed_within_two_heartbeats() -> None:
    loop = asyncio.get_running_loop()
    async with peer(silent) as url, client_of(url, limits=Limits(heartbeat=0.2)) as client:
        await client.connect()
        start = loop.time()
        await finished(client)
        took = loop.time() - start
    assert 0.35 < took < 0.6
    assert client.closed is not None
    assert client.closed.initiator == "network"
    assert "no sign of life" in client.closed.reason


async def test_answered_pings_keep_a_quiet_connection() -> None:
    pings = asyncio.Semaphore(0)

    async def script(wire: Wire) -> None:
        await wire.configured()
        while True:
            opcode, payload = await wire.receive()
            if opcode == PING:
                wire.frame(PONG, payload)
                pings.release()

    async def until_closed(wire: Wire) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await script(wire)

    async with peer(until_closed) as url, client_of(url, limits=Limits(heartbeat=0.15)) as client:
        await client.connect()
        for _ in range(3):
            await pings.acquire()
        assert client.ready


async def test_bytes_of_an_unfinished_message_are_signs_of_life() -> None:
    piece, count = b"\x01" * 1000, 12

    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.writer.write(header(BINARY, len(piece) * count))
        for _ in range(count):
            wire.writer.write(piece)
            await asyncio.sleep(0.025)
        wire.close_frame()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(heartbeat=0.1)) as client:
        audio = client.audio()
        await client.connect()
        assert [len(one) async for one in audio] == [len(piece) * count]


async def test_messages_are_signs_of_life_on_a_borrowed_session_too() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        for _ in range(12):
            wire.send(result("still here"))
            await asyncio.sleep(0.025)
        wire.close_frame()
        await wire.receive_until_closed()

    async with (
        aiohttp.ClientSession() as session,
        peer(script) as url,
        client_of(url, session=session, limits=Limits(heartbeat=0.1)) as client,
    ):
        heard: list[object] = []
        client.on("stt_result", heard.append)
        await client.connect()
        await finished(client)
        assert len(heard) == 12


async def test_pings_of_the_server_are_answered_while_a_handler_is_slow() -> None:
    answered = asyncio.Event()
    gate = asyncio.Event()

    async def slow(_: STTResultMessage) -> None:
        await gate.wait()

    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.send(result("a"))
        wire.frame(PING, b"42")
        assert await wire.receive() == (PONG, b"42")
        answered.set()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        client.on("stt_result", slow)
        await client.connect()
        await answered.wait()
        gate.set()


async def test_a_server_busy_configuring_is_not_taken_for_dead() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        # Far longer than two heartbeats, as a server busy for 20 s is against 30 s.
        await asyncio.sleep(0.15)
        wire.send(READY)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(heartbeat=0.03)) as client:
        await client.connect()
        assert client.ready


async def test_disconnect_from_a_chatty_peer_takes_its_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        with contextlib.suppress(ConnectionError):
            while not wire.writer.is_closing():
                wire.send(b"\x00" * 100)
                await wire.writer.drain()
                await asyncio.sleep(0.001)

    loop = asyncio.get_running_loop()
    async with peer(script) as url, client_of(url, limits=Limits(close=0.1)) as client:
        await client.connect()
        start = loop.time()
        await client.disconnect()
        assert loop.time() - start < 0.4
        assert client.closed == ConnectionClosed(None, "", "client", clean=False)


async def test_no_close_in_return_is_waited_for_up_to_the_limit() -> None:
    loop = asyncio.get_running_loop()
    async with peer(silent) as url, client_of(url, limits=Limits(close=0.1)) as client:
        await client.connect()
        start = loop.time()
        await client.disconnect()
        assert 0.05 < loop.time() - start < 0.4


async def test_a_close_in_return_is_told_with_its_code() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_until_closed()
        wire.close_frame(1000, "bye")

    ends: list[ConnectionClosed] = []
    async with peer(script) as url, client_of(url) as client:
        client.on("closed", ends.append)
        await client.connect()
        await client.disconnect()
    assert ends == [ConnectionClosed(1000, "", "client", clean=True)]


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (None, "", ConnectionClosed(None, "", "server", clean=True)),
        (1011, "oops", ConnectionClosed(1011, "oops", "server", clean=True)),
        (4001, "go", ConnectionClosed(4001, "go", "server", clean=True)),
    ],
)
async def test_a_close_of_the_server_is_told(
    code: int | None, reason: str, expected: ConnectionClosed
) -> None:
    got: list[list[tuple[int, bytes]]] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.close_frame(code, reason)
        got.append(await wire.receive_until_closed())

    ends: list[ConnectionClosed] = []
    async with peer(script) as url, client_of(url) as client:
        client.on("closed", ends.append)
        await client.connect()
        await finished(client)
        assert not client.connected
        assert client.state == "disconnected"
    assert ends == [expected]
    assert [opcode for opcode, _ in got[0]] == [8]


async def test_a_drop_in_the_middle_of_a_frame_is_a_loss() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.writer.write(header(BINARY, 5000) + b"\x00" * 100)
        await wire.writer.drain()
        wire.drop()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await finished(client)
    assert client.closed is not None
    assert client.closed.initiator == "network"
    assert client.closed.reason == "the connection was lost"
    assert not client.closed.clean


async def test_messages_of_16_mib_are_taken_and_larger_ones_end_the_session() -> None:
    largest = 16 * 1024 * 1024

    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.send(b"\x00" * largest)
        wire.send(b"\x00" * (largest + 1))
        await wire.receive_until_closed()

    sizes: list[int] = []
    async with peer(script) as url, client_of(url) as client:
        client.register_on_tts_audio(lambda audio: sizes.append(len(audio)))
        await client.connect()
        await finished(client)
    assert sizes == [largest]
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator) == (1009, "client")


async def test_a_server_that_never_answers_the_handshake_ends_at_the_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.read()

    async with peer(script) as url, client_of(url, limits=Limits(open=0.05)) as client:
        with pytest.raises(SaynaTimeoutError, match=r"not open within 0\.05 s"):
            await client.connect()
        assert nothing_left() == []


async def test_a_closed_port_is_a_connection_error() -> None:
    with socket.socket() as bound:  # it listens to nobody, and nobody else can take its port
        bound.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(SaynaConnectionError, match="Failed to connect to WebSocket") as caught:
            await client.connect()
    assert isinstance(caught.value.cause, OSError)
    gc.collect()
    assert nothing_left() == []


async def test_a_refused_handshake_keeps_its_status() -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")

    async with peer(script) as url, client_of(f"{url}?api_key=SECRET", api_key="KEY") as client:
        with pytest.raises(SaynaConnectionError) as caught:
            await client.connect()
    cause: Any = caught.value.cause
    assert isinstance(cause, aiohttp.WSServerHandshakeError)
    assert (cause.status, caught.value.status_code) == (401, 401)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "SECRET" not in f"{chain} {chain!r}"
        assert "KEY" not in f"{chain} {chain!r}"
        chain = chain.__cause__ or chain.__context__


async def test_bad_google_credentials_open_no_socket() -> None:
    accepted: list[Wire] = []

    async def script(wire: Wire) -> None:
        accepted.append(wire)

    stt = STTConfig(provider="google", model="m", auth=GoogleAuth(credentials="/nope.json"))
    tts = TTSConfig(provider="google", model="m")
    async with peer(script) as url:
        with pytest.raises(SaynaValidationError, match="could not be read as a file"):
            await SaynaClient(url, stt, tts).connect()
    assert accepted == []


async def test_connects_at_the_same_time_share_one_socket() -> None:
    count: list[Wire] = []

    async def script(wire: Wire) -> None:
        count.append(wire)
        await idle(wire)

    async with peer(script) as url, client_of(url) as client:
        await asyncio.gather(client.connect(), client.connect(), client.connect(wait_ready=False))
        await client.connect()
        assert client.ready
    assert len(count) == 1
    assert nothing_left() == []


async def test_one_of_several_callers_may_give_up() -> None:
    gate = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.handshake()
        await gate.wait()
        wire.send(READY)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        stays = asyncio.create_task(client.connect())
        leaves = asyncio.create_task(client.connect())
        await client_is(client, "configuring")
        leaves.cancel()
        gate.set()
        await stays
        assert client.ready
        assert leaves.cancelled()


async def test_disconnect_ends_a_connect_under_way() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        connecting = asyncio.create_task(client.connect())
        await client_is(client, "configuring")
        await client.disconnect()
        with pytest.raises(SaynaConnectionError, match=r"disconnect\(\) was called"):
            await connecting
        assert not client.connected
        assert nothing_left() == []


async def test_connect_in_the_old_way_returns_before_ready() -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        wire.send({"type": "error", "message": "Unsupported provider: x"})
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect(wait_ready=False)
        assert client.state == "configuring"
        assert client.connected
        assert (await client.wait_for("error", timeout=5)).message == "Unsupported provider: x"
        with pytest.raises(SaynaNotReadyError):
            await client.speak("hi")


async def cancel_at(step: int, work: Awaitable[object]) -> bool:
    """Cancel work at its n-th suspension; return whether it had that many."""
    task = asyncio.ensure_future(work)
    for _ in range(step):
        await asyncio.sleep(0)
        if task.done():
            break
    if task.done():
        with contextlib.suppress(SaynaConnectionError):
            task.result()
        return False
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, SaynaConnectionError):
        await task
    return True


async def test_connect_can_be_cancelled_at_every_step() -> None:
    step, more = 0, True
    async with peer(idle) as url:
        while more:
            step += 1
            client = client_of(url, limits=Limits(close=0.01))
            more = await cancel_at(step, client.connect())
            if more:
                assert not client.connected
                assert nothing_left() == []
            else:
                await client.disconnect()
    assert step > 5


async def test_disconnect_can_be_cancelled_at_every_step() -> None:
    step, more = 0, True
    async with peer(idle) as url:
        while more:
            step += 1
            client = client_of(url, limits=Limits(close=0.02))
            client.on("closed", lambda _: asyncio.sleep(0.001))
            await client.connect()
            more = await cancel_at(step, client.disconnect())
            assert not client.connected
            assert nothing_left() == []
    assert step > 3


async def test_twenty_drops_are_reconnected_without_a_leak() -> None:
    drops = 20
    configs: list[dict[str, Any]] = []

    async def script(wire: Wire) -> None:
        configs.append(await wire.configured())
        if len(configs) <= drops:
            await wire.writer.drain()
            wire.drop()
        else:
            await wire.receive_until_closed()

    attempts: list[int] = []
    async with peer(script) as url, client_of(url, reconnect=QUICK, stream_id="mine") as client:
        client.on("reconnecting", lambda r: attempts.append(r.attempt))
        ready = asyncio.Semaphore(0)
        client.on("ready", lambda _: ready.release())
        await client.connect()
        for _ in range(drops + 1):
            await ready.acquire()
        assert client.ready
        assert client.closed is None
    assert len(attempts) == drops
    assert [config.get("stream_id") for config in configs] == ["mine"] + [None] * drops
    assert nothing_left() == []


async def test_reconnecting_gives_up_after_its_attempts() -> None:
    async def first(wire: Wire) -> None:
        await wire.configured()
        wire.drop()

    async def then(wire: Wire) -> None:
        wire.drop()

    policy = ReconnectPolicy(attempts=3, first_delay=0.001, longest_delay=0.001)
    attempts: list[int] = []
    async with peer(first, then) as url, client_of(url, reconnect=policy) as client:
        client.on("reconnecting", lambda r: attempts.append(r.attempt))
        await client.connect()
        await finished(client)
        with pytest.raises(SaynaNotConnectedError):
            await client.speak("hi")
    assert attempts == [1, 2, 3]
    assert client.closed is not None


async def test_reconnecting_gives_up_after_its_time() -> None:
    async def first(wire: Wire) -> None:
        await wire.configured()
        wire.drop()

    async def then(wire: Wire) -> None:
        await wire.reader.read()

    policy = ReconnectPolicy(within=0.05, first_delay=0.001, longest_delay=0.001)
    async with peer(first, then) as url, client_of(url, reconnect=policy) as client:
        await client.connect()
        await finished(client)
        assert client.state == "disconnected"


async def test_a_fatal_status_ends_reconnecting() -> None:
    async def first(wire: Wire) -> None:
        await wire.configured()
        wire.close_frame(1012)
        await wire.receive_until_closed()

    async def then(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        wire.writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")

    attempts: list[int] = []
    async with peer(first, then) as url, client_of(url, reconnect=QUICK) as client:
        client.on("reconnecting", lambda r: attempts.append(r.attempt))
        await client.connect()
        await finished(client)
    assert attempts == [1]
    assert client.closed is not None
    assert "401" in client.closed.reason


@pytest.mark.parametrize("code", [None, 1000, 1008, 4001])
async def test_a_normal_end_is_not_reconnected(code: int | None) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.close_frame(code)
        await wire.receive_until_closed()

    attempts: list[object] = []
    async with peer(script) as url, client_of(url, reconnect=QUICK) as client:
        client.on("reconnecting", attempts.append)
        await client.connect()
        await finished(client)
    assert attempts == []


async def test_disconnect_while_reconnecting_stops_it() -> None:
    async def first(wire: Wire) -> None:
        await wire.configured()
        wire.drop()

    policy = ReconnectPolicy(first_delay=50, longest_delay=50)
    async with peer(first) as url, client_of(url, reconnect=policy) as client:
        wait = asyncio.create_task(client.wait_for("reconnecting", timeout=5))
        await client.connect()
        await wait
        await client_is(client, "reconnecting")
        with pytest.raises(SaynaNotConnectedError, match="Not connected: reconnecting"):
            await client.clear()
        await client.disconnect()
        assert client.state == "disconnected"
        assert nothing_left() == []


async def test_handlers_at_work_may_finish_when_disconnecting() -> None:
    finished_work: list[str] = []

    async def handler(message: STTResultMessage) -> None:
        await asyncio.sleep(0.02)
        finished_work.append(message.transcript)

    async with peer(idle_after(result("a"), result("b"))) as url, client_of(url) as client:
        client.on("stt_result", handler)
        wait = asyncio.create_task(client.wait_for("stt_result", lambda m: m.transcript == "b"))
        await client.connect()
        await wait
        await client.disconnect()
    assert finished_work == ["a", "b"]


def idle_after(*frames: dict[str, Any] | str | bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.configured()
        for frame in frames:
            wire.send(frame)
        await wire.receive_until_closed()

    return script


async def test_handlers_that_take_longer_than_the_limit_are_cancelled() -> None:
    cancelled = asyncio.Event()

    async def handler(_: STTResultMessage) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    limits = Limits(close=0.05)
    async with peer(idle_after(result("a"), result("b"))) as url:
        client = client_of(url, limits=limits)
        client.on("stt_result", handler)
        wait = asyncio.create_task(client.wait_for("stt_result"))
        await client.connect()
        await wait
        await client.disconnect()
        assert cancelled.is_set()
        assert client.counters.waiting_events == 0
        assert nothing_left() == []


@pytest.mark.parametrize("way", ["plain", "task", "gather", "wait_for", "shield"])
async def test_disconnect_may_be_called_in_a_handler_in_any_way(way: str) -> None:
    done = asyncio.Event()

    async with peer(idle_after(result("a"))) as url, client_of(url) as client:

        async def handler(_: STTResultMessage) -> None:
            match way:
                case "plain":
                    await client.disconnect()
                case "task":
                    await asyncio.create_task(client.disconnect())
                case "gather":
                    await asyncio.gather(client.disconnect(), asyncio.sleep(0))
                case "wait_for":
                    await asyncio.wait_for(client.disconnect(), 5)
                case _:
                    await asyncio.shield(client.disconnect())
            done.set()

        client.on("stt_result", handler)
        await client.connect()
        async with asyncio.timeout(5):
            await done.wait()
        assert client.state == "disconnected"


async def test_two_handlers_may_disconnect_at_once() -> None:
    done = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    async with peer(idle_after(result("a"), b"\x01")) as url, client_of(url) as client:

        async def handler(_: object) -> None:
            await client.disconnect()
            done.release()

        client.on("stt_result", handler)
        client.on("tts_audio", handler)
        await client.connect()
        start = loop.time()
        await done.acquire()
        await done.acquire()
        assert loop.time() - start < 2


async def test_a_handler_may_disconnect_and_connect_again() -> None:
    again = asyncio.Event()

    async def first(wire: Wire) -> None:
        await idle_after(result("a"))(wire)

    async with peer(first, idle) as url, client_of(url) as client:

        async def handler(_: STTResultMessage) -> None:
            await client.disconnect()
            await client.connect()
            again.set()

        client.on("stt_result", handler)
        await client.connect()
        async with asyncio.timeout(5):
            await again.wait()
        assert client.connected
        assert client.ready
    assert nothing_left() == []


async def test_drain_waits_for_speech_to_end() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_json()
        wire.send(b"\x01\x02")
        await asyncio.sleep(0.02)
        wire.send({"type": "tts_playback_complete", "timestamp": 1})
        await wire.receive_until_closed()

    heard: list[object] = []
    async with peer(script) as url, client_of(url) as client:
        client.on("tts_audio", heard.append)
        client.on("tts_playback_complete", lambda m: heard.append(m.timestamp))
        await client.connect()
        await client.speak("hi")
        await client.disconnect(drain=5)
    assert heard == [b"\x01\x02", 1]


async def test_drain_gives_up_at_its_limit_and_at_the_end_of_the_connection() -> None:
    async with peer(idle) as url, client_of(url, limits=Limits(close=0.01)) as client:
        await client.connect()
        await client.speak("never spoken")
        await client.disconnect(drain=0.02)
        assert client.state == "disconnected"

    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_json()
        wire.drop()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await client.speak("never spoken")
        await client.disconnect(drain=30)
    with pytest.raises(SaynaValidationError, match="drain must be a number"):
        await client.disconnect(drain=-1)


async def test_a_peer_that_reads_nothing_makes_sending_end_at_its_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        wire.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)

    async with peer(script) as url, client_of(url, limits=Limits(send=0.05, close=0.05)) as client:
        await client.connect()
        stream = client.send_audio_stream([b"\x00" * 1_000_000] * 100, pace=None)
        with pytest.raises(SaynaTimeoutError, match="Failed to send audio message"):
            await stream


async def test_sending_on_a_lost_connection_is_a_connection_error() -> None:
    async with talk() as client:
        await client.connect()
        await finished(client)
        for command in (client.speak("x"), client.clear(), client.loading_start()):
            with pytest.raises(SaynaNotConnectedError):
                await command

"""The limits as they are by default, in virtual seconds; and what a stalled consumer costs."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from sayna_client import Limits
from tests.client.peer import PING, PONG, READY, Wire, peer
from tests.client.session import client_of

STALLED = """
import asyncio, sys
from sayna_client import Limits, SaynaClient, STTConfig, TTSConfig

def peak() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

async def main() -> None:
    limits = Limits(close=0.1)
    stt, tts = STTConfig(provider="d", model="m"), TTSConfig(provider="d", model="m")
    client = SaynaClient(sys.argv[1], stt, tts, limits=limits)
    audio = client.audio()
    await client.connect()
    before = peak()
    while client.counters.pauses == 0:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    print(peak() - before - limits.audio, client.counters.waiting_audio >= limits.audio)
    await client.disconnect()

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [20, 65])
async def test_a_server_may_be_busy_configuring(sayna_clock: Any, seconds: int) -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_json()
        await asyncio.sleep(seconds)
        wire.send(READY)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        assert client.ready
        assert sayna_clock.elapsed == pytest.approx(seconds, abs=0.1)


async def test_a_peer_that_dies_is_given_up_after_two_heartbeats(sayna_clock: Any) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.reader.read()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await client.wait_for("closed", timeout=100)
        assert sayna_clock.elapsed == pytest.approx(60, abs=0.1)
    assert client.closed is not None
    assert client.closed.reason == "no sign of life for 60 s"


async def test_a_quiet_peer_that_answers_pings_is_kept(sayna_clock: Any) -> None:
    asked_at: list[float] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                opcode, payload = await wire.receive()
                if opcode == PING:
                    asked_at.append(sayna_clock.elapsed)
                    wire.frame(PONG, payload)

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await sayna_clock.advance(200)
        assert client.ready
    assert asked_at[0] == pytest.approx(30, abs=0.1)
    assert len(asked_at) >= 3


async def test_a_server_that_never_gets_ready_is_given_up(sayna_clock: Any) -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        with pytest.raises(TimeoutError):
            await client.connect()
    assert sayna_clock.elapsed == pytest.approx(Limits().ready, abs=1.5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
async def test_a_stalled_consumer_costs_its_bound_and_at_most_10_mib() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        with contextlib.suppress(ConnectionError):
            for _ in range(2_000):
                wire.send(bytes(64_000))
                await wire.writer.drain()

    async with peer(script) as url:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STALLED, url, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await child.communicate()
    over, full = printed.split()
    assert full == b"True"
    assert int(over) < 10 * 1024 * 1024

"""The loading indicator as somebody in the room hears it (websocket.md 10)."""

import array
import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.server.recordings import Recorder, Recording
from tests.frames import TTS
from tests.server.conftest import Bench, Peer

RATE = 16000
ROOM = {"room_name": "r"}


def pcm(*values: int) -> bytes:
    return array.array("h", values).tobytes()


def clip(data: bytes = pcm(*range(1, 4001)), **fields: Any) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return {"data": encoded, "format": "pcm", "sample_rate": RATE, **fields}


class Ear:
    """Somebody in the room `r`: what is heard from now on, sample by sample."""

    def __init__(self, bench: Bench) -> None:
        room = bench.state.rooms.get("r")
        assert room is not None
        self._kept: list[Recording] = []
        self._recorder = Recorder(room, asyncio.get_running_loop().time, self._kept.append)

    def samples(self) -> list[int]:
        self._recorder.stop()
        return array.array("h", self._kept[0].mixed(RATE)).tolist()


async def join(bench: Bench, loading: dict[str, Any], **fields: Any) -> Peer:
    peer = await bench.connect()
    ready = await peer.configure(livekit=ROOM, loading_audio=loading, **fields)
    assert ready["type"] == "ready"
    return peer


async def send(peer: Peer, kind: str, **fields: Any) -> None:
    """Send a message that has been handled when this returns, the clock where it was."""
    await peer.send({"type": kind, **fields})
    await peer.silence()


def play(call: Callable[[Bench], Any]) -> list[int]:
    """Run one call on a virtual clock, where every sample has its place."""

    async def run() -> list[int]:
        bench = Bench()
        try:
            samples: list[int] = await call(bench)
            return samples
        finally:
            await bench.close()

    with virtual_time():
        return asyncio.run(run())


def test_clip_loops_in_the_room_until_stop_fades_it_out_in_30_ms() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip())
        ear = Ear(bench)
        await send(peer, "loading_start")
        await asyncio.sleep(0.6)
        await send(peer, "loading_stop")
        await asyncio.sleep(0.4)
        return ear.samples()

    heard = play(call)
    assert len(heard) == 16000
    assert heard[:4000] == heard[4000:8000] == list(range(1, 4001))
    assert heard[8000:9600] == list(range(1, 1601))
    fade = [sound / (1601 + at) for at, sound in enumerate(heard[9600:10080])]
    assert fade[0] == pytest.approx(1, abs=0.01)
    assert fade == pytest.approx([1 - at / 479 for at in range(480)], abs=0.001)
    assert not any(heard[10080:])


@pytest.mark.parametrize(
    ("fields", "data", "loud"),
    [
        ({"volume": 0.25}, pcm(*[800] * 4000), 200),
        ({"volume": 0.0}, pcm(*[800] * 4000), 0),
        ({"volume": 7.0}, pcm(*[800] * 4000), 800),
        ({"channels": 2}, pcm(*[100, 500] * 4000), 300),
        ({"sample_rate": 8000}, pcm(*[700] * 2000), 700),
    ],
)
def test_clip_is_heard_at_its_volume_in_one_channel_at_any_rate(
    fields: dict[str, Any], data: bytes, loud: int
) -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip(data, **fields))
        ear = Ear(bench)
        await send(peer, "loading_start")
        await asyncio.sleep(0.5)
        return ear.samples()

    assert set(play(call)) == {loud}


def test_speech_and_clear_never_touch_the_loop() -> None:
    async def heard(bench: Bench, *, loops: bool) -> list[int]:
        peer = await join(bench, clip(pcm(*[1000] * 4000)), tts_config=TTS)
        ear = Ear(bench)
        if loops:
            await send(peer, "loading_start")
        await peer.send({"type": "speak", "text": "One moment please, I am looking it up"})
        assert (await peer.receive())["type"] == "tts_playback_complete"
        await asyncio.sleep(0.2)
        await send(peer, "clear")
        await asyncio.sleep(0.5)
        return ear.samples()

    with_loop = play(lambda bench: heard(bench, loops=True))
    speech = play(lambda bench: heard(bench, loops=False))
    assert max(map(abs, speech)) > 1000
    assert with_loop == [min(sample + 1000, 32767) for sample in speech]
    assert with_loop[-4000:] == [1000] * 4000


def test_second_start_changes_nothing_also_during_the_fade() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip())
        ear = Ear(bench)
        await send(peer, "loading_stop")
        await send(peer, "loading_start")
        await asyncio.sleep(0.1)
        await send(peer, "loading_start")
        await asyncio.sleep(0.1)
        await send(peer, "loading_stop")
        await asyncio.sleep(0.02)
        await send(peer, "loading_start")
        await send(peer, "loading_stop")
        await asyncio.sleep(0.03)
        between = [entry.kind for entry in bench.journal]
        assert between.count("loading_start") == 3
        await send(peer, "loading_start")
        await asyncio.sleep(0.05)
        return ear.samples()

    heard = play(call)
    assert heard[:3200] == list(range(1, 3201))
    assert not any(heard[3680:4000])
    assert heard[4000:4800] == list(range(1, 801))


def test_loop_ends_with_sayna_in_the_room() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip())
        ear = Ear(bench)
        await send(peer, "loading_start")
        await asyncio.sleep(0.1)
        room = bench.state.rooms.get("r")
        assert room is not None
        room.leave("sayna-ai")
        await asyncio.sleep(0.1)
        await send(peer, "loading_start")
        await asyncio.sleep(0.1)
        return ear.samples()

    heard = play(call)
    assert heard[:1600] == list(range(1, 1601))
    assert not any(heard[1600:])


def test_loop_is_on_the_recording_of_the_session() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await bench.connect()
        livekit = {**ROOM, "enable_recording": True}
        await peer.configure(livekit=livekit, loading_audio=clip(), stream_id="call-42")
        await send(peer, "loading_start")
        await asyncio.sleep(0.3)
        peer.connection.abort()
        await asyncio.sleep(0.1)
        recording = bench.state.recordings.get("call-42")
        assert isinstance(recording, Recording)
        return array.array("h", recording.mixed(RATE)).tolist()

    heard = play(call)
    assert heard[-4800:-800] == list(range(1, 4001))
    assert heard[-800:] == list(range(1, 801))


def test_recording_that_begins_meanwhile_has_the_loop_where_it_is() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip())
        await send(peer, "loading_start")
        await asyncio.sleep(0.1)
        ear = Ear(bench)
        await asyncio.sleep(0.2)
        await send(peer, "loading_stop")
        await asyncio.sleep(0.1)
        return ear.samples()

    heard = play(call)
    assert heard[:2400] == list(range(1601, 4001))
    assert heard[2400:3200] == list(range(1, 801))
    assert heard[3200 + 480 :] == [0] * 1120


def test_loop_never_comes_over_the_socket() -> None:
    async def call(bench: Bench) -> list[int]:
        peer = await join(bench, clip())
        ear = Ear(bench)
        await send(peer, "loading_start")
        await asyncio.sleep(1)
        await send(peer, "loading_stop")
        await peer.silence()
        return ear.samples()

    assert play(call)[:4000] == list(range(1, 4001))

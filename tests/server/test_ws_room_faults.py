"""Planned faults on the speech of a session whose audio goes to a room (websocket.md 6.5)."""

import asyncio
from collections.abc import Callable, Coroutine

from sayna_testing.clock import virtual_time
from tests.server.conftest import Bench, Peer

LONG = "I could tell you everything about it if you had a little more time for me"


async def spoken(bench: Bench, peer: Peer, text: str) -> int:
    """Speak a text; how many bytes of it the room heard before its completion."""
    before = len(bench.heard)
    await peer.send({"type": "speak", "text": text})
    assert (await peer.receive())["type"] == "tts_playback_complete"
    return sum(map(len, bench.heard[before:]))


def play(call: Callable[[Bench, Peer], Coroutine[None, None, None]]) -> None:
    """Run one call in the room `r` on a virtual clock, where the room's buffer paces speech."""

    async def run() -> None:
        bench = Bench()
        try:
            peer = await bench.connect()
            assert (await peer.configure(livekit={"room_name": "r"}))["type"] == "ready"
            bench.listen("r")
            await call(bench, peer)
        finally:
            await bench.close()

    with virtual_time():
        asyncio.run(run())


def test_audio_is_cut_in_the_room_and_whole_again_with_the_next_speech() -> None:
    async def call(bench: Bench, peer: Peer) -> None:
        whole = await spoken(bench, peer, "Hello")
        bench.state.faults.audio_cut(after=3200)
        assert await spoken(bench, peer, "Hello there, and welcome") == 3200
        assert bench.state.faults.unused == ()
        assert await spoken(bench, peer, "Hello") == whole > 3200
        assert [entry.data["at"] for entry in bench.entries("fault")] == ["audio"]

    play(call)


def test_transcript_does_not_end_a_cut() -> None:
    async def call(bench: Bench, peer: Peer) -> None:
        bench.state.faults.audio_cut(after=70400)
        await peer.send({"type": "speak", "text": LONG})
        await bench.until("fault")
        peer.connection.provider_result("so", is_final=False, is_speech_final=False, confidence=1)
        assert (await peer.receive())["type"] == "stt_result"
        assert (await peer.receive())["type"] == "tts_playback_complete"
        assert sum(map(len, bench.heard)) == 70400

    play(call)


def test_clear_ends_a_cut() -> None:
    async def call(bench: Bench, peer: Peer) -> None:
        whole = await spoken(bench, peer, "Hello")
        await asyncio.sleep(2)
        bench.state.faults.audio_cut(after=67200)
        await peer.send({"type": "speak", "text": LONG})
        await bench.until("fault")
        await peer.send({"type": "clear"})
        await peer.silence()
        assert await spoken(bench, peer, "Hello") == whole

    play(call)


def test_faults_of_frames_leave_the_sound_of_a_room_alone() -> None:
    async def call(bench: Bench, peer: Peer) -> None:
        whole = await spoken(bench, peer, "Hello")
        fault = bench.state.faults.frame_dropped("audio")
        assert await spoken(bench, peer, "Hello") == whole
        assert bench.state.faults.unused == (str(fault),)

    play(call)

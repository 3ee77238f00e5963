"""Rooms that Sayna has lost, joined again or left behind, and what comes in one breath."""

import asyncio

from sayna_testing.server.recordings import Recording
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.settings import ServerSettings
from tests.frames import TTS
from tests.server.conftest import Bench, Peer
from tests.server.test_ws_corners import play
from tests.server.test_ws_loading import clip


def room_of(bench: Bench, name: str) -> Room:
    room = bench.state.rooms.get(name)
    assert room is not None
    return room


def test_last_words_of_somebody_who_leaves_at_once_are_theirs() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(livekit={"room_name": "r", "listen_participants": ["ann"]})
        room = room_of(bench, "r")
        room.join(Participant("ann"))
        room.send_data("ann", b"bye")
        room.leave("ann")
        assert (await peer.receive())["type"] == "participant_connected"
        assert (await peer.receive())["message"]["identity"] == "ann"
        assert (await peer.receive())["type"] == "participant_disconnected"

    play(act)


def test_nothing_is_told_of_a_room_that_was_lost_in_the_same_breath() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(livekit={"room_name": "r"})
        room = room_of(bench, "r")
        room.leave("sayna-ai")
        room.join(Participant("ann"))
        room.send_data("ann", b"hello?")
        room.leave("ann")
        await asyncio.sleep(1)
        await peer.silence()

    play(act)


def test_speech_that_waits_for_a_room_that_is_lost_goes_on_over_the_socket() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        text = {"type": "speak", "text": "A text of more than a few seconds in a room"}
        await peer.configure(tts_config={**TTS, "voice_id": "other"})
        await peer.send(text)
        whole, _ = await peer.speech()
        await peer.configure(livekit={"room_name": "r"})
        bench.listen("r")
        await peer.send(text)
        await asyncio.sleep(0.55)
        room_of(bench, "r").leave("sayna-ai")
        heard = b"".join(bench.heard)
        rest, _ = await peer.speech()
        assert heard
        assert rest
        assert heard + b"".join(rest) == b"".join(whole)

    play(act)


def test_speech_at_a_rate_that_no_room_plays_comes_over_the_socket() -> None:
    async def act(_bench: Bench, peer: Peer) -> None:
        tts = {**TTS, "provider": "elevenlabs", "sample_rate": 0}  # which speaks at 24,000 then
        await peer.configure(tts_config=tts, livekit={"room_name": "r"})
        await peer.send({"type": "speak", "text": "Hello"})
        spoken, end = await peer.speech()
        assert len(spoken) == 1
        assert end["type"] == "tts_playback_complete"

    play(act)


def test_room_deleted_during_the_join_is_made_again() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        configured = asyncio.ensure_future(
            peer.configure(livekit={"room_name": "r", "enable_recording": True})
        )
        await asyncio.sleep(0.5)
        bench.state.rooms.delete("r")
        assert (await configured)["type"] == "ready"
        assert list(room_of(bench, "r").participants) == ["sayna-ai"]

    play(act, ServerSettings(livekit_connect_latency=1))


def test_two_loops_of_the_same_identity_end_each_by_itself() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        for name in ("first", "second"):
            await peer.configure(
                stream_id=name,
                livekit={"room_name": "r", "enable_recording": True},
                loading_audio=clip(),
            )
            await peer.send({"type": "loading_start"})
        await peer.silence()
        assert len(room_of(bench, "r").looping()) == 1
        await peer.send({"type": "loading_stop"})
        await peer.silence()
        assert [entry.kind for entry in bench.journal if entry.kind.startswith("close")] == []
        assert room_of(bench, "r").looping() == set()

    play(act)


def test_recording_left_behind_ends_with_its_room() -> None:
    async def act(bench: Bench, peer: Peer) -> None:
        await peer.configure(
            stream_id="old", livekit={"room_name": "old", "enable_recording": True}
        )
        await peer.configure(stream_id="new", livekit={"room_name": "new"})
        await asyncio.sleep(2)
        peer.connection.abort()
        await asyncio.sleep(3)
        room = room_of(bench, "old")
        assert room.active_recording
        assert bench.state.recordings.get("old") is None
        bench.state.rooms.delete("old")
        assert not room.active_recording
        recording = bench.state.recordings.get("old")
        assert isinstance(recording, Recording)
        assert round(recording.duration) == 5

    play(act)

import asyncio
import importlib
import io
import sys
from typing import Any, Literal

import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.server.recordings import Recording
from sayna_testing.server.rooms import Participant
from sayna_testing.server.settings import ServerSettings
from sayna_testing.speech import duration, recognize, synthesize
from tests.server.asking import Rest

soundfile: Any = importlib.import_module("soundfile")


async def recorded_call(rest: Rest) -> None:
    """The agent speaks, the caller answers, the agent is cut off."""
    room = rest.state.rooms.create("r")
    room.join(Participant("caller", kind="SIP"))
    recorder = rest.state.recordings.start("call-42", room, asyncio.get_running_loop().time)
    assert (await rest.json("GET", "/livekit/rooms/r"))["active_recording"]
    room.play_audio(synthesize("how many"), 24000)
    await asyncio.sleep(2.0)
    spoken = synthesize("for two", 16000)
    for start in range(0, len(spoken), 640):
        room.speak_audio("caller", spoken[start : start + 640], 16000)
        await asyncio.sleep(0.02)
    room.play_audio(synthesize("what time would you like", 48000), 48000)
    await asyncio.sleep(0.5)
    room.clear_audio()
    await asyncio.sleep(1.0)
    recorder.stop()
    recorder.stop()
    room.play_audio(synthesize("too late"), 24000)


def test_recording_is_the_mix_of_what_the_room_heard() -> None:
    async def download() -> bytes:
        rest = Rest()
        await recorded_call(rest)
        assert not (await rest.json("GET", "/livekit/rooms/r"))["active_recording"]
        response = await rest("GET", "/recording/call-42")
        assert response.headers == (
            ("content-type", "audio/ogg"),
            ("content-length", str(len(response.body))),
            ("content-disposition", 'attachment; filename="call-42.ogg"'),
        )
        assert await rest("GET", "/recording/call-42") == response
        return response.body

    with virtual_time():
        ogg = asyncio.run(download())
    with soundfile.SoundFile(io.BytesIO(ogg)) as file:
        assert (file.format, file.subtype) == ("OGG", "OPUS")
        samples = file.read(dtype="int16")
        rate = file.samplerate
    caller = len(range(0, len(synthesize("for two", 16000)), 640)) * 0.02
    assert len(samples) / rate == pytest.approx(2.0 + caller + 1.5, abs=0.05)

    def heard(start: float, end: float) -> str:
        part = samples[round(start * rate) : round(end * rate)]
        return recognize(part.astype("<i2").tobytes(), sample_rate=rate)

    assert heard(0, 2.0) == "how many"
    assert heard(2.0, 2.0 + caller) == "for two"
    cut = heard(2.0 + caller, 2.0 + caller + 1.5)
    assert "what time would you like".startswith(cut)
    assert 0 < len(cut) < 20
    assert abs(samples[-rate // 2 :].astype("int32")).max() < 500


def test_sounds_of_one_source_follow_each_other_and_others_overlap() -> None:
    async def record() -> Recording:
        rest = Rest()
        room = rest.state.rooms.create("r")
        recorder = rest.state.recordings.start("s", room, asyncio.get_running_loop().time)
        room.join(Participant("a"))
        room.speak_audio("a", b"\x01\x00" * 800 + b"\xff", 8000)
        room.speak_audio("a", b"\x02\x00" * 800, 8000)
        room.play_audio(b"\x10\x00" * 800, 8000)
        await asyncio.sleep(0.15)
        recorder.stop()
        kept = rest.state.recordings.get("s")
        assert isinstance(kept, Recording)
        return kept

    with virtual_time():
        recording = asyncio.run(record())
    assert recording.duration == pytest.approx(0.15)
    mixed = recording.mixed(8000)
    assert mixed == b"\x11\x00" * 800 + b"\x02\x00" * 400


async def test_two_sessions_record_one_room_each_for_itself() -> None:
    rest = Rest()
    room = rest.state.rooms.create("r")
    first = rest.state.recordings.start("first", room, lambda: 0.0)
    second = rest.state.recordings.start("second", room, lambda: 0.0)
    first.stop()
    assert (await rest.json("GET", "/livekit/rooms/r"))["active_recording"]
    second.stop()
    assert rest.state.recordings.get("second") is not None


async def test_recording_of_no_time_is_still_a_file() -> None:
    rest = Rest()
    room = rest.state.rooms.create("r")
    rest.state.recordings.start("s", room, lambda: 0.0).stop()
    response = await rest("GET", "/recording/s")
    assert soundfile.info(io.BytesIO(response.body)).duration == pytest.approx(0.02, abs=0.01)


async def test_file_of_the_test_is_served_as_it_is() -> None:
    rest = Rest()
    rest.state.recordings.put('a "b" ü', b"OggS")
    response = await rest("GET", "/recording/a%20%22b%22%20%C3%BC")
    assert response.body == b"OggS"
    assert dict(response.headers)["content-disposition"] == ('attachment; filename="a "b" ü.ogg"')


@pytest.mark.parametrize(
    ("settings", "stream_id", "expected"),
    [
        (None, "a..b", (400, "Invalid stream_id format")),
        (ServerSettings(recording=False), "a%2Fb", (400, "Invalid stream_id format")),
        (ServerSettings(recording=False), "%2E", (503, "Recording storage not configured")),
        (None, "%2E", (400, "Invalid recording path")),
        (None, "a%0Ab", (400, "Invalid recording path")),
        (None, "no one", (404, "Recording not found: no one")),
    ],
)
async def test_recording_is_refused(
    settings: ServerSettings | None, stream_id: str, expected: tuple[int, str]
) -> None:
    got = await Rest(settings).error("GET", f"/recording/{stream_id}")
    assert got == (expected[0], f'{{"error":"{expected[1]}"}}')


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        ("fetch", "Failed to retrieve recording from storage"),
        ("read", "Failed to read recording from storage"),
    ],
)
async def test_storage_may_fail(failure: Literal["fetch", "read"], text: str) -> None:
    rest = Rest()
    rest.state.recordings.put("s", b"OggS")
    rest.state.recordings.failures.append(failure)
    assert await rest.error("GET", "/recording/s") == (503, f'{{"error":"{text}"}}')
    assert (await rest("GET", "/recording/s")).body == b"OggS"


async def test_recording_without_soundfile_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    rest = Rest()
    rest.state.recordings.put("s", Recording((), duration("one two", 160)))
    status, body = await rest.error("GET", "/recording/s")
    assert (status, "sayna-client[testing,media]" in body) == (500, True)

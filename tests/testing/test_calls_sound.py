"""The sound of callers: recordings hear it, streamed speech is recognised, rates must agree."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from sayna_client import LiveKitConfig, SaynaClient, STTResultMessage
from sayna_testing import SampleRateWarning
from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.recordings import Recording
from sayna_testing.speech import duration, recognize, synthesize
from tests.testing.agents import STT, TTS, telephone_app


@pytest.fixture
def server() -> Iterator[FakeSaynaServer]:
    with virtual_time(), FakeSaynaServer() as server:
        yield server


def recorded(server: FakeSaynaServer, stream_id: str) -> str:
    recording = server.recordings.get(stream_id)
    assert isinstance(recording, Recording)
    return recognize(recording.mixed(16000), sample_rate=16000)


@pytest.mark.parametrize("hesitation", [0.0, 0.4])
def test_a_recording_holds_both_sides_of_a_call(server: FakeSaynaServer, hesitation: float) -> None:
    async def call() -> str:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.says("a table for two", hesitation=hesitation)
            await caller.hears("you said")
            await caller.stays_silent(0.5)
            return caller.room.name

    text = recorded(server, asyncio.run(call()))
    assert text.startswith("Hello! How can I help?")
    for word in ["a", "table", "for", "two"]:
        assert word in text
    assert text.endswith("You said: a table for two.")


def test_streamed_speech_becomes_interims_at_speaking_pace_and_a_final(
    server: FakeSaynaServer,
) -> None:
    seen: list[tuple[float, str, bool]] = []

    async def stream() -> None:
        client = SaynaClient(server.url, STT, TTS)
        loop = asyncio.get_running_loop()

        def note(result: STTResultMessage) -> None:
            seen.append((loop.time() - start, result.transcript, result.is_final))

        client.on("stt_result", note)
        await client.connect()
        sound = synthesize("a table for two please", 16000)
        start = loop.time()
        for offset in range(0, len(sound), 640):
            await client.on_audio_input(sound[offset : offset + 640])
            await asyncio.sleep(0.02)
        await asyncio.sleep(3.0)
        await client.disconnect()

    asyncio.run(stream())
    interims = [(at, text) for at, text, final in seen if not final]
    assert [text for _, text in interims] == ["a", "a table", "a table for", "a table for two"]
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(interims)]
    assert all(0.1 < gap < 1.0 for gap in gaps)
    assert "".join(text for _, text, final in seen if final) == "a table for two please"


def test_recognition_told_another_rate_than_the_room_feeds_is_a_warning(
    server: FakeSaynaServer,
) -> None:
    async def call() -> None:
        told = STT.model_copy(update={"sample_rate": 8000})
        client = SaynaClient(server.url, told, TTS, livekit_config=LiveKitConfig(room_name="lobby"))
        await client.connect()
        guest = server.join("lobby", "guest")
        with pytest.warns(SampleRateWarning, match="says 8000 Hz, but the room feeds 16000 Hz"):
            await guest.says("hello")
        await client.disconnect()

    asyncio.run(call())
    assert [entry.error for entry in server.journal if entry.kind == "warning"] == [True]


def test_a_word_is_recognised_when_it_has_sounded(server: FakeSaynaServer) -> None:
    said = "Wait, no! For 您好 at 8."

    async def call() -> float:
        async with server.call(webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.says(said)
            return caller.spoke[0].start

    start = asyncio.run(call())
    interims = [e for e in server.journal if e.kind == "stt_result" and not e.data["is_final"]]
    ends = {e.data["transcript"]: e.at - start for e in interims}
    assert list(ends)[-1] == said
    assert ends == {text: pytest.approx(duration(text, 160), abs=1e-5) for text in ends}


def test_a_hundred_calls_at_once_are_all_served(server: FakeSaynaServer) -> None:
    async def one(number: int) -> str:
        number_ = f"+4477009{number:05}"
        async with server.call(from_=number_, webhook=telephone_app(server.url)) as caller:
            await caller.hears("help")
            await caller.says(f"number {number}")
            return await caller.hears("you said")

    async def every() -> list[str]:
        return list(await asyncio.gather(*map(one, range(100))))

    assert asyncio.run(every()) == [f"You said: number {number}." for number in range(100)]


def test_fifty_runs_of_a_call_leave_one_journal() -> None:
    def once() -> list[tuple[object, ...]]:
        async def call(server: FakeSaynaServer) -> None:
            async with server.call(webhook=telephone_app(server.url)) as caller:
                await caller.hears("help")
                for _ in range(3):
                    await caller.says("a table for two")
                    await caller.hears("you said")

        with virtual_time(), FakeSaynaServer() as server:
            asyncio.run(call(server))
            return [(e.at, e.session, e.flow, e.kind, e.audio) for e in server.journal]

    first = once()
    assert len(first) > 50
    assert all(once() == first for _ in range(49))

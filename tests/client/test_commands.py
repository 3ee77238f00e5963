"""Commands: each exact frame, what is refused, when speech is done (websocket.md 4, 6, 7)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sayna_client import (
    Limits,
    SaynaClient,
    SaynaConnectionError,
    SaynaError,
    SaynaNotConnectedError,
    SaynaNotReadyError,
    SaynaSpeechError,
    SaynaValidationError,
    STTConfig,
)
from tests.client.peer import BINARY, TEXT, Wire, peer
from tests.client.session import TTS, client_of, finished

Act = Callable[[SaynaClient], Awaitable[Any]]
FRAMES: list[tuple[str, Act, str]] = [
    (
        "speak",
        lambda c: c.speak("Hi"),
        '{"type":"speak","text":"Hi","flush":true,"allow_interruption":true}',
    ),
    (
        "speak by position",
        lambda c: c.speak("Hi", False, False),
        '{"type":"speak","text":"Hi","flush":false,"allow_interruption":false}',
    ),
    (
        "tts_flush",
        lambda c: c.tts_flush(),
        '{"type":"speak","text":"","flush":true,"allow_interruption":true}',
    ),
    ("clear", lambda c: c.clear(), '{"type":"clear"}'),
    (
        "send_message",
        lambda c: c.send_message("hello", "user"),
        '{"type":"send_message","message":"hello","role":"user","topic":"messages"}',
    ),
    (
        "send_message without a topic",
        lambda c: c.send_message("hello", "user", None),
        '{"type":"send_message","message":"hello","role":"user"}',
    ),
    (
        "debug keeps its nulls",
        lambda c: c.send_message("m", "r", "t", {"a": None, "b": [None]}),
        '{"type":"send_message","message":"m","role":"r","topic":"t",'
        '"debug":{"a":null,"b":[null]}}',
    ),
    (
        "debug is any JSON",
        lambda c: c.send_message("m", "r", "t", [1, "x"]),
        '{"type":"send_message","message":"m","role":"r","topic":"t","debug":[1,"x"]}',
    ),
    (
        "sip_transfer",
        lambda c: c.sip_transfer(" +15551234567 "),
        '{"type":"sip_transfer","transfer_to":"+15551234567"}',
    ),
    ("loading_start", lambda c: c.loading_start(), '{"type":"loading_start"}'),
    ("loading_stop", lambda c: c.loading_stop(), '{"type":"loading_stop"}'),
    ("update_config", lambda c: c.update_config(), '{"type":"update_config"}'),
    (
        "update_config with both",
        lambda c: c.update_config(silence_duration_ms=400, turn_threshold=0.7),
        '{"type":"update_config","vad":{"silence_duration_ms":400},'
        '"turn_detect":{"threshold":0.7}}',
    ),
]


async def sent(act: Act, **options: Any) -> list[tuple[int, bytes]]:
    """Return what arrives at the server for a command."""
    frames: list[tuple[int, bytes]] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        frames.extend(await wire.receive_until_closed())

    async with peer(script) as url, client_of(url, **options) as client:
        await client.connect()
        await act(client)
    return [frame for frame in frames if frame[0] in (TEXT, BINARY)]


@pytest.mark.parametrize(("act", "frame"), [one[1:] for one in FRAMES], ids=[o[0] for o in FRAMES])
async def test_each_command_is_one_exact_frame(act: Act, frame: str) -> None:
    assert await sent(act) == [(TEXT, frame.encode())]


async def test_a_debug_with_a_datetime_is_sent_as_text() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ((_, frame),) = await sent(lambda c: c.send_message("m", "r", debug={"at": moment}))
    assert json.loads(frame)["debug"] == {"at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("audio", [b"\x01\x02", bytearray(b"\x01\x02"), memoryview(b"\x01\x02")])
async def test_audio_is_one_binary_frame(audio: Any) -> None:
    assert await sent(lambda c: c.on_audio_input(audio)) == [(BINARY, b"\x01\x02")]


BAD: dict[str, tuple[Any, str]] = {
    "speak": (lambda c: c.speak(123), "text: Input should be a valid string"),
    "say": (lambda c: c.say(None), "text: Input should be a valid string"),
    "audio of text": (lambda c: c.on_audio_input("x"), "audio_data must be bytes, got str"),
    "audio of nothing": (lambda c: c.on_audio_input(b""), "audio_data must not be empty"),
    "sip_transfer": (lambda c: c.sip_transfer(" "), "transfer_to must be a non-empty string"),
    "sip_transfer of int": (lambda c: c.sip_transfer(5), "transfer_to must be a non-empty string"),
    "debug": (lambda c: c.send_message("m", "r", debug=object()), "SendMessageMessage has no JSON"),
    "threshold": (lambda c: c.update_config(turn_threshold=2.0), "turn_detect.threshold: "),
    "pace": (lambda c: c.send_audio_stream([], pace="fast"), "pace must be 'realtime' or None"),
}


@pytest.mark.parametrize(("act", "text"), BAD.values(), ids=BAD)
async def test_bad_arguments_are_validation_errors(act: Act, text: str) -> None:
    async def refused(client: SaynaClient) -> None:
        with pytest.raises(SaynaValidationError) as caught:
            await act(client)
        assert str(caught.value).startswith(text)

    assert await sent(refused) == []


ALL: list[Act] = [
    lambda c: c.speak("x"),
    lambda c: c.say("x"),
    lambda c: c.tts_flush(),
    lambda c: c.clear(),
    lambda c: c.on_audio_input(b"x"),
    lambda c: c.send_message("m", "r"),
    lambda c: c.sip_transfer("+1"),
    lambda c: c.loading_start(),
    lambda c: c.loading_stop(),
    lambda c: c.update_config(),
    lambda c: c.send_audio_stream([b"x"]),
]


@pytest.mark.parametrize("act", ALL, ids=[str(n) for n in range(len(ALL))])
async def test_commands_need_a_connection_and_then_a_ready_server(act: Act) -> None:
    async def script(wire: Wire) -> None:
        await wire.handshake()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, limits=Limits(close=0.01)) as client:
        with pytest.raises(SaynaNotConnectedError, match="Not connected"):
            await act(client)
        await client.connect(wait_ready=False)
        with pytest.raises(SaynaNotReadyError, match="not ready"):
            await act(client)


@pytest.mark.parametrize(
    ("old", "new", "act"),
    [
        ("send_speak", "speak", lambda c: c.send_speak("x")),
        ("send_clear", "clear", lambda c: c.send_clear()),
        ("send_audio", "on_audio_input", lambda c: c.send_audio(b"x")),
        ("health_check", "health", lambda c: c.health_check()),
    ],
    ids=["speak", "clear", "audio", "health"],
)
async def test_old_names_work_with_a_warning_at_their_line(old: str, new: str, act: Act) -> None:
    client = SaynaClient("http://127.0.0.1:1", without_audio=True)

    async def use() -> None:
        with pytest.raises(SaynaError):
            await act(client)

    expected = f"{old}\\(\\) is deprecated, use {new}\\(\\) instead"
    with pytest.warns(DeprecationWarning, match=expected) as caught:
        await use()
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="use register_on_tts_audio"):
        client.register_on_audio(print)
    await client.disconnect()


async def test_flushing_without_interruption_warns_that_it_mutes() -> None:
    async def act(client: SaynaClient) -> None:
        with pytest.warns(UserWarning, match="makes the server ignore clear"):
            await client.tts_flush(allow_interruption=False)

    assert len(await sent(act)) == 1


def complete() -> dict[str, Any]:
    return {"type": "tts_playback_complete", "timestamp": 1}


async def test_say_returns_when_that_speech_is_done() -> None:
    spoken: list[str] = []

    async def script(wire: Wire) -> None:
        await wire.configured()
        while True:
            frame = await wire.receive_json()
            spoken.append(frame["text"])
            wire.send(b"\x01")
            wire.send(complete())

    order: list[str] = []
    async with peer(script) as url, client_of(url, limits=Limits(close=0.01)) as client:
        client.on("tts_playback_complete", lambda _: order.append("complete"))
        await client.connect()
        await client.say("  ")
        await client.say("one")
        order.append("said one")
        await asyncio.gather(client.say("two"), client.say("three"))
        order.append("said all")
    assert spoken == ["one", "two", "three"]
    assert order == ["complete", "said one", "complete", "complete", "said all"]


async def test_say_waits_for_what_was_asked_for_before() -> None:
    spoken: list[str] = []
    first = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.configured()
        spoken.append((await wire.receive_json())["text"])
        await first.wait()
        assert spoken == ["before"]
        wire.send(complete())
        spoken.append((await wire.receive_json())["text"])
        wire.send(complete())
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await client.speak("before")
        saying = asyncio.create_task(client.say("after"))
        await asyncio.sleep(0.01)
        first.set()
        await saying
    assert spoken == ["before", "after"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("TTS error: Provider error: API error (401 Unauthorized): no", "401 Unauthorized"),
        ("Failed to synthesize speech: TTS error: Network error: x", "Failed to synthesize"),
        ("Voice manager not configured. Send config message with audio=true first.", "Voice man"),
    ],
)
async def test_say_raises_when_synthesis_fails(answer: str, text: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_json()
        wire.send({"type": "error", "message": "something else"})
        wire.send({"type": "error", "message": answer})
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        with pytest.raises(SaynaSpeechError, match=text):
            await client.say("hi")


async def test_say_raises_when_it_is_cleared() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        saying = asyncio.create_task(client.say("hi"))
        await asyncio.sleep(0.01)
        await client.clear()
        with pytest.raises(SaynaSpeechError, match="cleared"):
            await saying


async def test_a_clear_during_protected_speech_does_not_end_say() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        assert (await wire.receive_json())["allow_interruption"] is False
        assert (await wire.receive_json())["type"] == "clear"
        wire.send(complete())
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        saying = asyncio.create_task(client.say("hi", allow_interruption=False))
        await asyncio.sleep(0.01)
        await client.clear()
        await saying


async def test_say_raises_when_the_connection_ends() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        await wire.receive_json()
        wire.close_frame(1011)
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        with pytest.raises(SaynaConnectionError, match="before the speech was done") as caught:
            await client.say("hi")
        assert caught.value.close_code == 1011
        await finished(client)


async def test_say_goes_on_after_speech_before_it_was_cleared() -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        for _ in range(3):
            await wire.receive_json()
        wire.send(complete())
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url) as client:
        await client.connect()
        await client.speak("before")
        saying = asyncio.create_task(client.say("after"))
        await asyncio.sleep(0.01)
        await client.clear()
        await saying


async def test_paced_audio_takes_as_long_as_it_lasts() -> None:
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def source() -> Any:
        for _ in range(6):
            yield b"\x00" * 320
        yield b""

    async def act(client: SaynaClient) -> None:
        start = loop.time()
        await client.send_audio_stream(source())
        took.append(loop.time() - start)

    assert len(await sent(act)) == 6
    assert 0.045 < took[0] < 0.2


async def test_unpaced_audio_goes_as_it_comes() -> None:
    async def act(client: SaynaClient) -> None:
        client.stt_config = STTConfig(provider="x", model="m", encoding="opus")
        with pytest.raises(SaynaValidationError, match="encoding of fixed size"):
            await client.send_audio_stream([b"x"])
        await client.send_audio_stream([b"x"] * 3, pace=None)

    assert [payload for _, payload in await sent(act)] == [b"x"] * 3


async def test_the_config_frame_leaves_out_what_is_none() -> None:
    configs: list[Any] = []

    async def script(wire: Wire) -> None:
        configs.append(await wire.configured())
        await wire.receive_until_closed()

    async with peer(script) as url:
        async with SaynaClient(url, without_audio=True).connect():
            pass
        async with SaynaClient(
            url, STTConfig(provider="d", model="m"), TTS, stream_id="s"
        ).connect():
            pass
    assert configs[0] == {"type": "config", "audio": False}
    assert configs[1]["tts_config"] == {
        "provider": "deepgram",
        "speaking_rate": 1.0,
        "model": "aura-asteria-en",
        "pronunciations": [],
    }
    assert configs[1]["stream_id"] == "s"

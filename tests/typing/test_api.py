"""What type checkers know of the public API, held by mypy and pyright, both strict."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, assert_type

from sayna_client import (
    ConnectionClosed,
    Counters,
    ErrorMessage,
    HandlerError,
    HealthResponse,
    LiveKitRoomDetails,
    MessageMessage,
    ParticipantConnectedMessage,
    ParticipantDisconnectedMessage,
    RawResponse,
    ReadyMessage,
    Reconnecting,
    SaynaClient,
    ServerMessage,
    SipHooksResponse,
    SipTransferErrorMessage,
    Stream,
    STTConfig,
    STTResultMessage,
    TrackSubscribedMessage,
    TTSConfig,
    TTSPlaybackCompleteMessage,
    UnknownMessage,
    VadEventMessage,
    VoiceDescriptor,
    resolve_config_auth,
)
from sayna_client.events import LANES

T = TypeVar("T")


def takes(kind: type[T]) -> Callable[[T], None]:
    """Return a handler that takes only events of one type."""
    raise NotImplementedError(kind)


def handlers(client: SaynaClient) -> None:
    client.on("ready", takes(ReadyMessage))
    client.on("stt_result", takes(STTResultMessage))
    client.on("tts_audio", takes(bytes))
    client.on("tts_playback_complete", takes(TTSPlaybackCompleteMessage))
    client.on("message", takes(MessageMessage))
    client.on("error", takes(ErrorMessage))
    client.on("sip_transfer_error", takes(SipTransferErrorMessage))
    client.on("participant_connected", takes(ParticipantConnectedMessage))
    client.on("participant_disconnected", takes(ParticipantDisconnectedMessage))
    client.on("track_subscribed", takes(TrackSubscribedMessage))
    client.on("vad_event", takes(VadEventMessage))
    client.on("unknown", takes(UnknownMessage))
    client.on("reconnecting", takes(Reconnecting))
    client.on("closed", takes(ConnectionClosed))
    client.on("handler_error", takes(HandlerError))
    client.on("ready", takes(Counters))  # type: ignore[call-overload]
    client.on("stt_result", takes(Counters))  # type: ignore[call-overload]
    client.on("tts_audio", takes(Counters))  # type: ignore[call-overload]
    client.on("tts_playback_complete", takes(Counters))  # type: ignore[call-overload]
    client.on("message", takes(Counters))  # type: ignore[call-overload]
    client.on("error", takes(Counters))  # type: ignore[call-overload]
    client.on("sip_transfer_error", takes(Counters))  # type: ignore[call-overload]
    client.on("participant_connected", takes(Counters))  # type: ignore[call-overload]
    client.on("participant_disconnected", takes(Counters))  # type: ignore[call-overload]
    client.on("track_subscribed", takes(Counters))  # type: ignore[call-overload]
    client.on("vad_event", takes(Counters))  # type: ignore[call-overload]
    client.on("unknown", takes(Counters))  # type: ignore[call-overload]
    client.on("reconnecting", takes(Counters))  # type: ignore[call-overload]
    client.on("closed", takes(Counters))  # type: ignore[call-overload]
    client.on("handler_error", takes(Counters))  # type: ignore[call-overload]
    client.once("stt_result", takes(STTResultMessage))
    client.once("stt_result", takes(ReadyMessage))  # type: ignore[call-overload]
    client.on("nonsense", print)  # type: ignore[call-overload]
    client.register_on_stt_result(lambda m: assert_type(m, STTResultMessage))
    client.register_on_tts_audio(None)
    client.register_on_ready(takes(bytes))  # type: ignore[arg-type]

    async def coroutine(message: STTResultMessage) -> None:
        assert_type(message.confidence, float)

    client.on("stt_result", coroutine)
    client.off("stt_result", coroutine)


async def values(client: SaynaClient) -> None:
    await client.connect()
    async with client.connect() as entered:
        assert_type(entered, SaynaClient)
    assert_type(await client.wait_for("stt_result"), STTResultMessage)
    assert_type(await client.wait_for("closed", timeout=1.0), ConnectionClosed)
    assert_type(client.events(), Stream[ServerMessage])
    async for piece in client.audio():
        assert_type(piece, bytes)
    assert_type(client.counters, Counters)
    assert_type(client.closed, ConnectionClosed | None)
    assert_type(client.received_stream_id, str | None)


async def rest(client: SaynaClient, stt: STTConfig, tts: TTSConfig) -> None:
    assert_type(await client.health(timeout=1.0, retries=0), HealthResponse)
    assert_type(await client.get_voices(), dict[str, list[VoiceDescriptor]])
    assert_type(await client.speak_rest("x", tts), tuple[bytes, dict[str, str]])
    assert_type(await client.get_livekit_room("r"), LiveKitRoomDetails)
    assert_type(await client.get_sip_hooks(), SipHooksResponse)
    assert_type(await client.request("GET", "/"), RawResponse)
    async with client.stream_recording("s") as stream:
        async for chunk in stream:
            assert_type(chunk, bytes)
    assert_type(resolve_config_auth(stt), STTConfig | None)


def test_every_event_has_its_type() -> None:
    """The checkers hold the rest; this holds that no event was forgotten above."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'client.on("{event}", takes(' in source for event in LANES)

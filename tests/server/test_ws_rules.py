"""The pure rules of a session, told by values alone (websocket.md 4 to 10)."""

from __future__ import annotations

import base64
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayna_testing.server.providers import Credentials, Provider
from sayna_testing.server.serde import SerdeError
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.loading import ClipError, decode_clip
from sayna_testing.server.ws.messages import Result
from sayna_testing.server.ws.refusals import Refused, choose_providers
from sayna_testing.server.ws.standing import Standing, judge
from sayna_testing.server.ws.synthesis import cache_key, cut
from sayna_testing.server.ws.transcripts import Transcripts, as_reported
from sayna_testing.server.ws.wav import WavError, read_wav
from sayna_testing.server.ws.window import Window
from sayna_testing.server.ws.wire import FrameReader, Message, Opcode, WireError, header

ZERO_MASK = bytes(4)


def masked(first: int, payload: bytes, mask: bytes = ZERO_MASK) -> bytes:
    """A client frame."""
    head = bytearray(header(Opcode.TEXT, len(payload)))
    head[0] = first
    head[1] |= 0x80
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes(head) + mask + body


def read_all(data: bytes, step: int) -> list[Message]:
    reader = FrameReader()
    found: list[Message] = []
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
        while message := reader.next():
            found.append(message)
    return found


# Wire (2)


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(min_size=4, max_size=4), st.data())
def test_messages_are_read_whatever_the_cuts(
    payloads: list[bytes], mask: bytes, data: st.DataObject
) -> None:
    wire = b"".join(masked(0x82, payload, mask) for payload in payloads)
    step = data.draw(st.integers(1, max(1, len(wire))))
    assert [message.payload for message in read_all(wire, step)] == payloads


@given(st.binary(max_size=2000))
def test_no_bytes_do_more_than_end_the_connection(wire: bytes) -> None:
    with suppress(WireError):
        assert all(message.opcode in Opcode for message in read_all(wire, 7))


def test_fragments_are_joined_around_a_ping() -> None:
    wire = masked(0x01, b"he") + masked(0x89, b"?") + masked(0x00, b"l") + masked(0x80, b"lo")
    assert read_all(wire, 3) == [Message(Opcode.PING, b"?"), Message(Opcode.TEXT, b"hello")]


def test_large_frames_are_read_and_the_buffer_is_given_back() -> None:
    big = bytes(70_000)
    assert [
        len(m.payload) for m in read_all(masked(0x82, big) * 2 + masked(0x82, b"x"), 65536)
    ] == [
        70_000,
        70_000,
        1,
    ]


@pytest.mark.parametrize(
    ("wire", "detail"),
    [
        (b"\x82\x01x", "WebSocket protocol error: Received an unmasked frame from client"),
        (b"\xc2\x80", "WebSocket protocol error: Reserved bits are non-zero"),
        (b"\x83\x80", "WebSocket protocol error: Encountered invalid opcode: 3"),
        (b"\x8b\x80", "WebSocket protocol error: Encountered invalid opcode: 11"),
        (b"\x09\x80", "WebSocket protocol error: Fragmented control frame"),
        (b"\x89\xfe\x00\x7e", "WebSocket protocol error: Control frame too big"),
        (masked(0x80, b""), "WebSocket protocol error: Continue frame but nothing to continue"),
        (masked(0x01, b"") + masked(0x82, b""), "WebSocket protocol error: While waiting for more"),
        (masked(0x88, b"\x03"), "WebSocket protocol error: Invalid close sequence"),
        (masked(0x88, b"\x03\xe8\xff"), "UTF-8 encoding error"),
        (masked(0x81, b"\xff"), "UTF-8 encoding error: invalid utf-8 sequence from index 0"),
        (
            b"\x82\xff" + (2**24 + 1).to_bytes(8, "big"),
            "Space limit exceeded: Message too long: 16777217 > 16777216",
        ),
    ],
)
def test_broken_frames_end_the_connection_in_the_words_of_the_server(
    wire: bytes, detail: str
) -> None:
    with pytest.raises(WireError) as error:
        read_all(wire, len(wire))
    assert str(error.value).startswith(detail)


def test_messages_over_64_mib_are_refused() -> None:
    reader = FrameReader()
    piece = masked(0x00, bytes(2**24))
    reader.feed(masked(0x02, b"x") + piece * 4)
    with pytest.raises(WireError) as error:
        reader.next()
    assert str(error.value) == "Space limit exceeded: Message too long: 67108865 > 67108864"


@pytest.mark.parametrize(("payload", "code"), [(b"", None), (b"\x03\xe8bye", 1000)])
def test_close_may_have_a_code(payload: bytes, code: int | None) -> None:
    assert read_all(masked(0x88, payload), 1)[0].close_code == code


# Window (7.1)


def test_default_speech_is_never_protected() -> None:
    window = Window()
    window.on_speak(0, allow_interruption=True)
    window.on_audio(0, [bytes(320)], 16000)
    assert window.is_open(0)


def test_window_lasts_for_the_audio_and_at_least_until_the_completion() -> None:
    window = Window()
    window.on_speak(1000, allow_interruption=False)
    window.on_audio(1500, [bytes(320)] * 50, 16000)
    assert not window.is_open(9000)
    window.on_completion()
    assert (window.is_open(1500), window.is_open(1501)) == (False, True)


def test_audio_behind_a_completion_restarts_the_window_at_now() -> None:
    window = Window()
    window.on_speak(0, allow_interruption=False)
    window.on_completion()
    window.on_audio(5000, [bytes(320)], 16000)
    window.on_completion()
    assert (window.is_open(5010), window.is_open(5011)) == (False, True)


@pytest.mark.parametrize(
    ("chunks", "rate", "length"),
    [([bytes(440)], 22050, 9), ([bytes(80)], 8000, 5), ([bytes(320)] * 3, 16000, 30)],
)
def test_each_chunk_counts_in_whole_milliseconds(
    chunks: list[bytes], rate: int, length: int
) -> None:
    window = Window()
    window.on_speak(0, allow_interruption=False)
    window.on_audio(0, chunks, rate)
    window.on_completion()
    assert (window.is_open(length), window.is_open(length + 1)) == (False, True)


def test_empty_protected_speech_is_a_trap_until_the_next_default_one() -> None:
    window = Window()
    window.on_speak(0, allow_interruption=False)
    assert not window.is_open(10**9)
    window.on_speak(1, allow_interruption=True)
    assert window.is_open(1)


# Transcripts (8)


def final(text: str) -> Result:
    return Result(text, is_final=True, is_speech_final=False, confidence=0.9)


def ended(text: str) -> Result:
    return Result(text, is_final=True, is_speech_final=True, confidence=0.9)


def interim(text: str) -> Result:
    return Result(text, is_final=False, is_speech_final=False, confidence=0.9)


def admit(transcripts: Transcripts, result: Result, now: float) -> str | None:
    return transcripts.admit(result, now, interruptible=True)


@pytest.mark.parametrize("result", [interim("a"), final("a"), ended("a")])
def test_results_in_the_window_are_dropped_and_touch_no_timer(result: Result) -> None:
    transcripts = Transcripts()
    reason = transcripts.admit(result, 0.0, interruptible=False)
    assert (reason, transcripts.due) == ("protected speech is playing", None)


def test_blank_finals_are_dropped_and_other_blanks_delivered() -> None:
    transcripts = Transcripts()
    assert admit(transcripts, final(" \n"), 0.0) == "blank final"
    assert admit(transcripts, interim(""), 0.0) is None
    assert admit(transcripts, ended(""), 0.0) is None
    assert transcripts.due is None


def test_silence_restarts_with_each_final_and_the_hard_limit_never() -> None:
    transcripts = Transcripts()
    for at in (0.0, 1.5, 3.0, 4.5):
        assert admit(transcripts, final("a"), at) is None
        assert admit(transcripts, interim("b"), at + 1) is None
    assert transcripts.due == 5.0
    assert not transcripts.force(4.9)
    assert transcripts.force(5.0)
    assert transcripts.due is None


def test_late_end_of_speech_is_dropped_only_as_a_duplicate_within_half_a_second() -> None:
    transcripts = Transcripts()
    admit(transcripts, final("so I"), 0.0)
    admit(transcripts, final(" think"), 0.1)
    assert transcripts.force(2.0)
    admit(transcripts, final("next"), 2.0)
    duplicate = "duplicate of a forced end of speech"
    assert admit(transcripts, ended("so I think"), 2.3) == duplicate
    assert transcripts.due == 3.8
    assert admit(transcripts, ended("so I think"), 2.35) == duplicate
    assert admit(transcripts, ended("so I thin"), 2.36) is None
    assert transcripts.due is None
    assert not transcripts.force(9.0)


@pytest.mark.parametrize(
    ("provider", "result", "reported"),
    [
        ("deepgram", interim(""), interim("")),
        ("deepgram", final("a"), final("a")),
        ("google", interim(""), None),
        ("google", interim("a"), Result("a", False, False, 0.0)),
        ("google", final("a"), Result("a", True, True, 0.9)),
        ("elevenlabs", final("a"), Result("a", True, True, 1.0)),
        ("azure", interim("a"), Result("a", False, False, 0.0)),
        ("azure", final(""), Result("", True, True, 0.9)),
        ("cartesia", interim(""), Result("", False, False, 0.0)),
        ("cartesia", final("a"), Result("a", True, True, 1.0)),
    ],
)
def test_each_provider_reports_in_its_own_way(
    provider: Provider, result: Result, reported: Result | None
) -> None:
    assert as_reported(provider, result) == reported


# Frames (5) and speech (6.2)


def test_confidence_is_clamped_and_written_as_32_bits() -> None:
    texts = [messages.stt_result(Result("", False, False, c)).text for c in (1, -2, 7, 1 / 3, 1e-5)]
    assert [text.rpartition(":")[2] for text in texts] == [
        "1.0}",
        "0.0}",
        "1.0}",
        "0.33333334}",
        "0.00001}",
    ]


@pytest.mark.parametrize(
    ("name", "rate", "size"),
    [
        ("linear16", 8000, 160),
        ("pcm", 22050, 440),
        ("linear16", 44100, 882),
        ("mulaw", 8000, 80),
        ("alaw", 8000, 80),
        ("LINEAR16", 16000, 8192),
        ("mp3", 24000, 8192),
        ("linear16", 50, 20_001),
    ],
)
def test_speech_is_cut_by_format_and_rate(name: str, rate: int, size: int) -> None:
    config = {"audio_format": name, "sample_rate": rate}
    chunks = list(cut(bytes(20_001), config, google=False))
    assert {len(chunk) for chunk in chunks[:-1]} <= {size}
    assert sum(map(len, chunks)) == 20_001


def test_google_cuts_any_spelling_and_sends_the_rest_whole() -> None:
    def sizes(name: str) -> set[int]:
        config = {"audio_format": name, "sample_rate": 16000}
        return {len(chunk) for chunk in cut(bytes(3200), config, google=True)}

    assert [sizes(name) for name in ("LINEAR16", "wav", "MuLaw", "mp3")] == [
        {320},
        {320},
        {160},
        {3200},
    ]
    assert list(cut(b"", {"audio_format": "mp3", "sample_rate": 1}, google=True)) == []


def key(provider: Provider, **changes: Any) -> tuple[Any, ...]:
    auth = changes.pop("auth", {})
    config = {
        "voice_id": "v",
        "model": "m",
        "audio_format": "linear16",
        "sample_rate": 16000,
        "speaking_rate": 1.0,
        **changes,
    }
    return cache_key("Hello", config, Credentials(provider, True, auth))


def test_the_same_clip_is_told_by_provider_settings_and_text() -> None:
    assert key("deepgram") == key("deepgram", auth={"api_key": "other"})
    assert key("deepgram") != key("deepgram", speaking_rate=1.5)
    assert key("elevenlabs") != key("elevenlabs", auth={"api_key": "other"})
    assert key("azure", sample_rate=15000) == key("azure", sample_rate=16000)
    assert key("azure") != key("azure", auth={"region": "uksouth"})
    assert key("cartesia", audio_format="pcm") == key("cartesia")


# Config (4.2.6)


def refusal(stt: dict[str, Any], tts: dict[str, Any], **settings: Any) -> str:
    fields = {
        "stt_config": {"auth": None, "sample_rate": 16000, "language": "en", "model": "", **stt},
        "tts_config": {"auth": None, "provider": "deepgram", **tts},
    }
    with pytest.raises(Refused) as refused:
        choose_providers(ServerSettings(**settings), fields)
    return str(refused.value)


def test_providers_that_cannot_be_built_are_refused() -> None:
    google = {"provider": "google"}
    nowhere: dict[str, Any] = {"google_application_credentials": None}
    assert refusal({"provider": "Nobody"}, {}) == "Unsupported provider: nobody"
    assert refusal({"provider": "deepgram"}, google, **nowhere).startswith(
        "Failed to create voice manager: TTS error: Invalid configuration: Failed to extract"
    )
    for auth in (None, {"credentials": "/a/path"}, {"credentials": '{"project_id":""}'}):
        assert refusal({**google, "auth": auth}, {}, **nowhere).startswith(
            "Failed to create voice manager: STT error: Configuration error: Google Cloud project"
        )
    assert refusal({**google, "auth": {"credentials": "[1]"}}, {}).startswith("Failed to create")
    assert refusal({"provider": "cartesia", "sample_rate": 11025}, {}).endswith(
        "Unsupported sample rate: 11025. Supported rates: [8000, 16000, 22050, 24000, 44100, 48000]"
    )
    assert refusal({"provider": "cartesia", "language": ""}, {}).endswith(
        "Configuration error: Language code is required"
    )


@pytest.mark.parametrize(
    "stt",
    [
        {"model": "project:latest_long"},
        {"auth": {"credentials": {"project_id": "p"}}},
        {"auth": {"credentials": '{"project_id":"p"}'}},
        {},
    ],
)
def test_google_finds_its_project_in_model_or_credentials(stt: dict[str, Any]) -> None:
    fields = {
        "stt_config": {"provider": "google", "auth": None, "model": "", **stt},
        "tts_config": {"provider": "deepgram", "auth": None},
    }
    assert choose_providers(ServerSettings(), fields).stt.provider == "google"


# Standing (3, 4.8)


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [
        (2, "2"),
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (1e40, "inf"),
        (-1e40, "-inf"),
        (1e20, "1" + "0" * 20),
    ],
)
def test_threshold_is_checked_by_builds_with_turn_detection(threshold: float, shown: str) -> None:
    fields = {"vad": None, "turn_detect": {"threshold": threshold}}
    assert judge("update_config", fields, Standing()).acts
    answer = judge("update_config", fields, Standing(vad=True)).answer
    assert answer is not None
    assert answer.data["message"] == (
        f"Invalid turn detection threshold: {shown}. Must be between 0.0 and 1.0"
    )


@pytest.mark.parametrize("turn_detect", [None, {"threshold": None}, {"threshold": 0.7}])
def test_thresholds_in_range_are_accepted(turn_detect: dict[str, Any] | None) -> None:
    fields = {"vad": None, "turn_detect": turn_detect}
    assert judge("update_config", fields, Standing(vad=True)).acts


# Loading clips (10.1)

FMT = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)


def wav(fmt: bytes = FMT, data: bytes = bytes(8000), *, size: int | None = None) -> bytes:
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def block(data: bytes | str, **more: Any) -> dict[str, Any]:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {
        "data": text,
        "format": None,
        "sample_rate": None,
        "channels": None,
        "volume": None,
        **more,
    }


def fmt(
    tag: int = 1, channels: int = 1, block_align: int = 2, bits: int = 16, more: int = 0
) -> bytes:
    rate = 8000
    return struct.pack(
        "<HHIIHH", tag, channels, rate, rate * block_align, block_align, bits
    ) + bytes(more)


def test_clips_are_decoded_with_their_volume_clamped() -> None:
    clip = decode_clip(block(wav(), volume=7.0))
    assert (len(clip.pcm), clip.sample_rate, clip.channels, clip.volume) == (8000, 8000, 1, 1.0)
    clip = decode_clip(block(bytes(8000), sample_rate=8000, channels=2, format=" PCM "))
    assert (clip.channels, clip.volume) == (2, 1.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "Failed to read enough bytes."),
        (b"RIFX----WAVE", "Ill-formed WAVE file: no RIFF tag found"),
        (b"RIFF----", "Failed to read enough bytes."),
        (b"RIFF----WAVX", "Ill-formed WAVE file: no WAVE tag found"),
        (b"RIFF----WAVE", "Failed to read enough bytes."),
        (b"RIFF----WAVEfmt \x10\0\0\0", "Failed to read enough bytes."),
        (b"RIFF----WAVEdata\0\0\0\0", "Ill-formed WAVE file: missing fmt chunk"),
        (wav(FMT[:8]), "Ill-formed WAVE file: invalid fmt chunk size"),
        (wav(fmt(channels=0)), "Ill-formed WAVE file: file contains zero channels"),
        (wav(fmt(bits=24)), "Ill-formed WAVE file: sample bits exceeds size of sample"),
        (wav(FMT[:8] + b"\1\0\0\0" + FMT[12:]), "Ill-formed WAVE file: inconsistent fmt chunk"),
        (wav(fmt(bits=12)), "Ill-formed WAVE file: bits per sample is not a multiple of 8"),
        (wav(fmt(bits=0)), "Ill-formed WAVE file: bits per sample is 0"),
        (wav(fmt(tag=2)), "The wave format of the file is not supported."),
        (wav(fmt(more=1)), "Ill-formed WAVE file: unexpected fmt chunk size"),
        (wav(data=bytes(7)), "Ill-formed WAVE file: invalid data chunk length"),
    ],
)
def test_ill_formed_wav_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(WavError) as error:
        read_wav(data)
    assert str(error.value) == reason


def test_unknown_chunks_are_skipped() -> None:
    whole = wav()
    assert read_wav(whole[:12] + b"LIST\2\0\0\0xx" + whole[12:]).declared == 8000


@pytest.mark.parametrize(
    ("clip", "text"),
    [
        (block("A" * 2_565_468), "would exceed the maximum size of 1924096 bytes"),
        (block("AB=="), "loading_audio.data is not valid base64"),
        (block("é"), "loading_audio.data is not valid base64"),
        (block(b"", format="mp3"), 'loading_audio.format must be "wav" or "pcm"'),
        (block(b"RIFX", format="wav"), "not a valid WAV file: Ill-formed WAVE file: no RIFF tag"),
        (block(wav(fmt(bits=8, block_align=1))), "only 16-bit PCM is supported"),
        (block(wav(size=1_920_002)), "exceeds the maximum size of 1920000 bytes"),
        (block(wav(size=8002)), "16-bit PCM: Failed to read enough bytes."),
        (block(bytes(8000)), "sample_rate is required for raw PCM loading_audio"),
        (block(bytes(7), sample_rate=8000), "raw PCM length is not frame-aligned"),
        (block(bytes(8), sample_rate=8000, channels=0), "raw PCM length is not frame-aligned"),
        (block(b"", sample_rate=8000, channels=0), "loading_audio supports mono or stereo only"),
        (block(bytes(6), sample_rate=8000, channels=3), "supports mono or stereo only"),
        (block(bytes(8), sample_rate=7999), "must be between 8000 Hz and 48000 Hz"),
        (block(bytes(3998), sample_rate=8000), "too short; the minimum duration is 250 ms"),
        (block(bytes(160_016), sample_rate=8000), "too long; the maximum duration is 10000 ms"),
    ],
)
def test_bad_clips_are_refused_at_the_first_check(clip: dict[str, Any], text: str) -> None:
    with pytest.raises(ClipError) as error:
        decode_clip(clip)
    assert text in str(error.value)


@given(st.text(), st.none() | st.text(max_size=4), st.none() | st.integers(0, 2**32 - 1))
def test_no_clip_does_more_than_be_refused(data: str, form: str | None, rate: int | None) -> None:
    with suppress(ClipError):
        assert decode_clip(block(data, format=form, sample_rate=rate)).pcm


@given(st.text())
def test_no_text_is_read_as_a_frame_that_is_none(text: str) -> None:
    with suppress(SerdeError):
        assert messages.read(text)[0] in messages.VARIANTS

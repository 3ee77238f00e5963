import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it has no types of its own
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.speech import Recognizer, recognize, synthesize
from sayna_testing.speech.encodings import decode, wav_header
from tests.testing.speech_channels import encoded, samples

CALL: dict[str, Any] = {"sample_rate": 16000, "encoding": "linear16"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"sample_rate": 7999}, ValueError, "sample_rate: expected 8000 to 48000 Hz, got 7999"),
        ({"sample_rate": 48001}, ValueError, "sample_rate: expected 8000 to 48000 Hz, got 48001"),
        ({"sample_rate": 16000.0}, TypeError, r"sample_rate: expected an int \(Hz\), got float"),
        ({"sample_rate": True}, TypeError, r"sample_rate: expected an int \(Hz\), got bool"),
        ({"encoding": "mp3"}, ValueError, "encoding: expected one of linear16, .*, got 'mp3'"),
        ({"encoding": None}, TypeError, "encoding: expected a str, got NoneType"),
    ],
)
def test_a_format_that_is_none_is_refused(
    change: dict[str, Any], error: type[Exception], words: str
) -> None:
    call = {**CALL, **change}
    for refused in (
        lambda: synthesize("x", **call),
        lambda: recognize(b"", **call),
        lambda: Recognizer(**call),
    ):
        with pytest.raises(error, match=words):
            refused()


@pytest.mark.parametrize(
    ("wpm", "error", "words"),
    [
        (9.9, ValueError, "wpm: expected 10 to 3000 words a minute, got 9.9"),
        (3001, ValueError, "wpm: expected 10 to 3000 words a minute, got 3001"),
        (float("nan"), ValueError, "wpm: expected 10 to 3000 words a minute, got nan"),
        ("160", TypeError, "wpm: expected a number, got str"),
    ],
)
def test_a_pace_that_is_none_is_refused(wpm: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        synthesize("x", wpm=wpm)


def test_text_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="text: expected a str, got bytes"):
        synthesize(b"x")  # type: ignore[arg-type]


@pytest.mark.parametrize("audio", ["text", None, [0, 1], 7])
def test_audio_that_is_not_bytes_is_refused(audio: Any) -> None:
    with pytest.raises(TypeError, match="audio: expected bytes, got "):
        recognize(audio, **CALL)
    with pytest.raises(TypeError, match="audio: expected bytes, got "):
        Recognizer(**CALL).feed(audio)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_heard(kind: type[bytes]) -> None:
    assert recognize(kind(synthesize("Yes", 16000)), **CALL) == "Yes"


def test_samples_in_a_memoryview_are_heard() -> None:
    assert recognize(memoryview(synthesize("Yes", 16000)).cast("h"), **CALL) == "Yes"


def test_half_a_sample_at_the_end_is_ignored() -> None:
    assert recognize(synthesize("Yes", 16000)[:-1], **CALL) == "Yes"
    assert recognize(synthesize("Yes", 16000) + b"\x7f", **CALL) == "Yes"


@settings(deadline=None, max_examples=100)
@given(
    data=st.binary(max_size=6000),
    sample_rate=st.integers(8000, 48000),
    encoding=st.sampled_from(["linear16", "mulaw", "alaw"]),
)
def test_bytes_that_are_no_speech_say_nothing(data: bytes, sample_rate: int, encoding: str) -> None:
    assert recognize(data, sample_rate=sample_rate, encoding=encoding) == ""


@settings(deadline=None, max_examples=200)
@given(
    head=st.binary(max_size=60) | st.just(wav_header(100, 16000)),
    cut=st.integers(0, 60),
    tail=st.binary(max_size=200),
)
def test_bytes_that_are_no_wav_are_refused_or_say_nothing(
    head: bytes, cut: int, tail: bytes
) -> None:
    text = ""
    with suppress(ValueError):
        text = recognize(head[:cut] + tail, sample_rate=16000, encoding="wav")
    assert text == ""


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wav(fmt: bytes, audio: bytes, *, before: bytes = b"") -> bytes:
    body = b"WAVE" + chunk(b"fmt ", fmt) + before + chunk(b"data", audio)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int, channels: int, bits: int, rate: int = 16000) -> bytes:
    width = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits)


@pytest.mark.parametrize(("tag", "encoding"), [(6, "alaw"), (7, "mulaw")])
def test_wav_of_the_telephone_is_heard(tag: int, encoding: str) -> None:
    audio = wav(fmt(tag, 1, 8), synthesize("Yes", 16000, encoding))
    assert recognize(audio, sample_rate=16000, encoding="wav") == "Yes"


def test_wav_with_other_chunks_and_the_extensible_format_is_heard() -> None:
    extensible = fmt(0xFFFE, 1, 16) + struct.pack("<HHIH14x", 22, 16, 4, 1)
    audio = wav(extensible, synthesize("Yes", 16000), before=chunk(b"LIST", b"odd"))
    assert recognize(audio, sample_rate=16000, encoding="wav") == "Yes"


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (b"ID3\x04mp3 or such", "wav: expected a RIFF/WAVE header, got b'ID3"),
        (b"RIFF\0\0\0\0AVI ", "wav: expected a RIFF/WAVE header, got b'RIFF"),
        (
            wav(fmt(1, 2, 16), b""),
            "expected mono 16-bit PCM, .*, got 2 channels of 16 bits in format 1",
        ),
        (
            wav(fmt(3, 1, 32), b""),
            "expected mono 16-bit PCM, .*, got 1 channels of 32 bits in format 3",
        ),
        (wav(fmt(1, 1, 16, 8000), b""), "wav: expected 16000 Hz, the header says 8000 Hz"),
        (wav(b"short", b""), "wav: expected a fmt chunk of at least 16 bytes, got 5"),
        (
            b"RIFF\0\0\0\0WAVE" + chunk(b"data", b""),
            "wav: expected a fmt chunk before the data chunk",
        ),
        (
            b"RIFF\0\0\0\0WAVE" + chunk(b"LIST", bytes(70000)),
            "wav: expected samples within 65536 bytes of header, found none",
        ),
    ],
)
def test_wav_that_cannot_be_heard_is_refused(audio: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        recognize(audio, sample_rate=16000, encoding="wav")


@pytest.mark.parametrize(("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_companded_bytes_mean_what_others_read(encoding: str, subtype: str) -> None:
    ramp = np.arange(-32768, 32768) / 32768
    file = io.BytesIO(encoded(ramp, encoding))
    theirs, _ = soundfile.read(file, samplerate=8000, channels=1, format="RAW", subtype=subtype)
    step = np.maximum(np.abs(ramp) / 16, 1 / 2048)
    assert (np.abs(theirs - np.clip(ramp, -0.985, 0.985)) <= step).all()


@pytest.mark.parametrize(("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_every_companded_byte_is_read_as_others_read_it(encoding: str, subtype: str) -> None:
    every = bytes(range(256))
    theirs, _ = soundfile.read(
        io.BytesIO(every), samplerate=8000, channels=1, format="RAW", subtype=subtype
    )
    assert (decode(every, encoding) == theirs).all()


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_companded_bytes_survive_a_round_trip(encoding: str) -> None:
    sound = samples(synthesize("Yes", 8000))
    once = encoded(sound, encoding)
    assert recognize(once, sample_rate=8000, encoding=encoding) == "Yes"

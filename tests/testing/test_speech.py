import hashlib
import io
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sayna_testing.speech
from sayna_testing.speech import duration, recognize, synthesize
from tests.testing.speech_channels import RATES, samples

ENCODINGS = ["linear16", "wav", "mulaw", "alaw"]
BOOKING = "A table for two at eight, please."


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_speech_reads_back_exactly(encoding: str, sample_rate: int, wpm: int) -> None:
    audio = synthesize(BOOKING, sample_rate, encoding, wpm)
    assert recognize(audio, sample_rate=sample_rate, encoding=encoding) == BOOKING


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(st.characters()),
    sample_rate=st.integers(8000, 48000),
    encoding=st.sampled_from(ENCODINGS),
    wpm=st.floats(80, 320),
)
def test_any_text_reads_back_exactly(
    text: str, sample_rate: int, encoding: str, wpm: float
) -> None:
    audio = synthesize(text, sample_rate, encoding, wpm)
    assert recognize(audio, sample_rate=sample_rate, encoding=encoding) == text


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x7f\x80\ud800\udfff\ufffd\uffff",
        "\U0001f469\u200d\U0001f4bb \U00020000 \U000e0001 \U0010ffff",
        "नमस्ते, आप कैसे हैं? שלום مرحبا สวัสดี xin chào, Đặng",
        " \t\n leading and trailing \r\n ",
        "aaaaaa llll ,,,, ....",
    ],
)
def test_rare_characters_read_back_exactly(text: str) -> None:
    assert recognize(synthesize(text, wpm=320), sample_rate=24000) == text


@pytest.mark.parametrize("wpm", [10, 50, 79, 321, 500, 3000])
def test_length_is_right_at_any_pace(wpm: int) -> None:
    audio = synthesize(BOOKING, 24000, wpm=wpm)
    assert len(audio) / 48000 == pytest.approx(duration(BOOKING, wpm), abs=2e-3)


def test_conversation_keeps_its_pace() -> None:
    text = (
        "Good evening, this is the Harbour Inn. How can I help? A table for two, you said, and "
        "when would that be? Eight is full, I am afraid; we could do a quarter past nine instead."
    )
    assert len(text.split()) / duration(text, 160) * 60 == pytest.approx(160, rel=0.05)


def test_twice_the_pace_is_half_the_length() -> None:
    assert duration("word " * 50, 160) == pytest.approx(duration("word " * 50, 80) / 2, rel=0.01)


def test_syllables_of_chinese_and_korean_are_spoken_one_by_one() -> None:
    assert 10 / duration("您好请问几位客人呢", 160) == pytest.approx(5, rel=0.15)
    assert 10 / duration("안녕하세요반갑습니다", 160) == pytest.approx(5, rel=0.15)
    for first, last in ("\u3400\u9fff", "\uac00\ud7a3", "\U00020000\U0003ffff"):
        assert duration(first) == duration(last) == duration("您")


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [("Yes. No", "Yes  No"), ("Yes, no", "Yes  no"), ("是。不", "是是不"), ("3. 14", "3.14")],
)
def test_punctuation_makes_a_pause(longer: str, shorter: str) -> None:
    assert duration(longer) > duration(shorter) + 0.1


def test_no_text_takes_no_time() -> None:
    assert duration("") == 0.0
    assert synthesize("") == b""
    assert recognize(b"", sample_rate=8000) == ""


def test_the_same_text_makes_the_same_bytes() -> None:
    code = (
        "import sys; from sayna_testing.speech import synthesize; "
        "sys.stdout.buffer.write(synthesize('Hi!'))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert hashlib.sha256(run.stdout).digest() == hashlib.sha256(synthesize("Hi!")).digest()


@pytest.mark.parametrize("wpm", [80, 320])
@pytest.mark.parametrize("sample_rate", [8000, 24000, 48000])
def test_the_sound_stays_within_the_telephone_band(wpm: int, sample_rate: int) -> None:
    sound = samples(synthesize(BOOKING, sample_rate, wpm=wpm))
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / sample_rate)
    inside = power[(frequency >= 300) & (frequency <= 3400)].sum() / power.sum()
    assert inside > 0.99


def test_wav_is_a_file_that_others_read() -> None:
    with wave.open(io.BytesIO(synthesize(BOOKING, 16000, "wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.readframes(file.getnframes()) == synthesize(BOOKING, 16000)


def test_numpy_is_loaded_by_the_first_sound_only() -> None:
    code = (
        "import sys; from sayna_testing.speech import *; "
        "Recognizer(sample_rate=8000); duration('x'); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_exported_names() -> None:
    names = {
        "Final",
        "Heard",
        "Interim",
        "Recognizer",
        "Word",
        "duration",
        "recognize",
        "synthesize",
    }
    assert set(sayna_testing.speech.__all__) == names


def test_every_block_of_the_guide_runs() -> None:
    guide = (Path(__file__).parents[2] / "docs/speech.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/speech.md", "exec"), {})


def test_the_guide_has_something_to_listen_to() -> None:
    audio = (Path(__file__).parents[2] / "docs/assets/speech.wav").read_bytes()
    text = "Hello! How can I help? A table for two, at eight."
    assert recognize(audio, sample_rate=8000, encoding="wav") == text

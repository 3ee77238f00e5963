import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.speech import Final, Interim, Recognizer, duration, recognize, synthesize

ENCODINGS = ["linear16", "wav", "mulaw", "alaw"]
RATES = [8000, 16000, 22050, 24000, 44100, 48000]
BOOKING = "A table for two at eight, please."


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_speech_reads_back_exactly(encoding: str, sample_rate: int, wpm: int) -> None:
    audio = synthesize(BOOKING, sample_rate, encoding, wpm)
    assert recognize(audio, sample_rate=sample_rate, encoding=encoding) == BOOKING


@settings(deadline=None, max_examples=60)
@given(text=st.text(), wpm=st.floats(80, 320))
def test_any_text_reads_back_exactly(text: str, wpm: float) -> None:
    audio = synthesize(text, 8000, "mulaw", wpm)
    assert recognize(audio, sample_rate=8000, encoding="mulaw") == text


def test_duration_is_what_synthesize_makes() -> None:
    audio = synthesize(BOOKING, 24000, wpm=200)
    assert len(audio) / 48000 == pytest.approx(duration(BOOKING, 200), abs=1e-3)


def test_interims_come_word_by_word_and_the_final_after_silence() -> None:
    audio = synthesize("no, wait", 16000) + bytes(16000 * 2)
    recognizer = Recognizer(sample_rate=16000)
    events = [
        event for at in range(0, len(audio), 640) for event in recognizer.feed(audio[at : at + 640])
    ]
    assert [(type(event), event.text) for event in events] == [
        (Interim, "no,"),
        (Final, "no, wait"),
    ]


def test_numpy_is_loaded_by_the_first_sound_only() -> None:
    code = "import sys, sayna_testing.speech; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

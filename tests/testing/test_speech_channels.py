from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.speech import recognize, synthesize
from tests.testing.speech_channels import (
    RATES,
    SOUNDS,
    TEXTS,
    Samples,
    band_limited,
    encoded,
    gain,
    linear,
    pcm,
    samples,
    with_noise,
)

PACES = st.floats(80, 320)
SOME_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@settings(deadline=None, max_examples=40)
@given(text=SOME_TEXT, wpm=PACES, rate=st.sampled_from(RATES), to=st.sampled_from(RATES))
@pytest.mark.parametrize("resample", [linear, band_limited])
def test_resampled_speech_reads_back(
    resample: Callable[[Samples, int, int], Samples], text: str, wpm: float, rate: int, to: int
) -> None:
    heard = resample(samples(synthesize(text, rate, wpm=wpm)), rate, to)
    assert recognize(pcm(heard), sample_rate=to) == text


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_speech_reads_back_after_the_telephone(rate: int, encoding: str) -> None:
    phone = linear(samples(synthesize(TEXTS[3], rate, wpm=320)), rate, 8000)
    audio = encoded(phone, encoding)
    assert recognize(audio, sample_rate=8000, encoding=encoding) == TEXTS[3]


@settings(deadline=None, max_examples=40)
@given(
    text=SOME_TEXT,
    wpm=PACES,
    decibels=st.floats(-30, 18),
    rate=st.sampled_from(RATES),
    encoding=st.sampled_from(["linear16", "mulaw", "alaw"]),
)
def test_loud_and_soft_speech_reads_back(
    text: str, wpm: float, decibels: float, rate: int, encoding: str
) -> None:
    changed = gain(samples(synthesize(text, rate, wpm=wpm)), decibels)
    assert recognize(encoded(changed, encoding), sample_rate=rate, encoding=encoding) == text


@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(SOME_TEXT, min_size=1, max_size=3),
    rests=st.lists(st.integers(0, 30000), min_size=4, max_size=4),
    wpm=PACES,
)
def test_utterances_in_a_row_read_back_with_and_without_silence(
    texts: list[str], rests: list[int], wpm: float
) -> None:
    audio = bytes(2 * rests[3])
    for text, rest in zip(texts, rests, strict=False):
        audio += bytes(2 * rest) + synthesize(text, 16000, wpm=wpm)
    assert recognize(audio + bytes(2 * rests[3]), sample_rate=16000) == " ".join(texts)


@pytest.mark.parametrize("rate", [8000, 24000])
@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_speech_reads_back_in_noise_as_loud_as_itself(rate: int, wpm: int) -> None:
    rng = np.random.default_rng(rate + wpm)
    texts = [TEXTS[number % len(TEXTS)] for number in range(100)]
    exact = sum(
        recognize(pcm(with_noise(wave, 0, rng)), sample_rate=rate) == text
        for text, wave in zip(texts, _spoken(texts, rate, wpm), strict=True)
    )
    assert exact >= 99


@pytest.mark.parametrize("name", SOUNDS)
def test_other_sounds_say_nothing(name: str) -> None:
    for rate in (8000, 16000, 44100):
        sound = SOUNDS[name](20 * rate, rate, np.random.default_rng(rate))
        assert recognize(pcm(sound), sample_rate=rate) == ""


@pytest.mark.parametrize(
    ("rate", "told"), [(16000, 8000), (8000, 16000), (24000, 16000), (16000, 24000), (48000, 24000)]
)
def test_speech_told_to_be_of_another_rate_says_nothing(rate: int, told: int) -> None:
    assert recognize(synthesize(" ".join(TEXTS), rate), sample_rate=told) == ""


@pytest.mark.parametrize("told", ["mulaw", "alaw"])
def test_speech_told_to_be_of_another_encoding_says_nothing(told: str) -> None:
    audio = synthesize(" ".join(TEXTS), 16000)
    assert recognize(audio, sample_rate=16000, encoding=told) == ""
    audio = synthesize(" ".join(TEXTS), 16000, told)
    assert recognize(audio, sample_rate=16000) == ""


def test_the_guide_shows_each_sound() -> None:
    guide = (Path(__file__).parents[2] / "docs/speech.md").read_text(encoding="utf-8")
    assert [name for name in SOUNDS if f"| {name} |" not in guide] == []


def _spoken(texts: list[str], rate: int, wpm: int) -> Iterator[Samples]:
    return (samples(synthesize(text, rate, wpm=wpm)) for text in texts)

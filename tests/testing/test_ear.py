"""The caller's ear: what has sounded, when, and what a clear takes away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.calls.ear import Ear
from sayna_testing.speech import duration, synthesize

TEXT = "A table for two at eight, please."


def test_speech_that_arrives_at_once_sounds_in_real_time() -> None:
    ear = Ear(sample_rate=24000)
    ear.play(10.0, synthesize(TEXT))
    (heard,) = ear.utterances
    assert heard.text == TEXT
    assert ear.end == pytest.approx(10.0 + duration(TEXT), abs=0.01)
    assert heard.start == pytest.approx(10.0, abs=0.1)
    assert heard.end == pytest.approx(ear.end, abs=0.1)
    assert not heard.cut
    assert ear.heard_by(10.0) == ()


def test_speech_waits_until_the_one_before_is_over() -> None:
    ear = Ear(sample_rate=8000, encoding="mulaw")
    ear.play(1.0, synthesize("One.", 8000, "mulaw"))
    ear.play(1.0, synthesize("Two.", 8000, "mulaw"))
    first, second = ear.utterances
    assert [first.text, second.text] == ["One.", "Two."]
    assert second.start >= first.end
    ear.play(60.0, synthesize("Three.", 8000, "mulaw"))
    assert ear.utterances[2].start >= 60.0


def test_a_clear_cuts_what_is_sounding_to_the_characters_heard() -> None:
    ear = Ear(sample_rate=16000)
    ear.play(0.0, synthesize("Hello.", 16000))
    ear.play(0.0, synthesize(TEXT, 16000))
    middle = ear.utterances[1].start + 0.9
    ear.clear(middle)
    hello, part = ear.utterances
    assert hello.text == "Hello."
    assert part.cut
    assert TEXT.startswith(part.text)
    assert 5 < len(part.text) < len(TEXT)
    assert part.end == middle
    assert ear.end == middle
    ear.clear(middle)
    assert ear.utterances == (hello, part)


def test_a_clear_when_all_has_sounded_takes_nothing_away() -> None:
    ear = Ear(sample_rate=16000)
    ear.clear(0.0)
    ear.play(0.0, synthesize(TEXT, 16000))
    ear.clear(ear.end + 1)
    assert [u.text for u in ear.utterances] == [TEXT]


def test_a_clear_before_the_first_sound_leaves_nothing() -> None:
    ear = Ear(sample_rate=16000)
    ear.play(5.0, synthesize(TEXT, 16000))
    ear.clear(5.0)
    assert ear.utterances == ()
    assert ear.end == 0.0


def test_the_ear_tells_since_when_there_is_sound() -> None:
    ear = Ear(sample_rate=16000)
    assert ear.sounding(0.0) is None
    ear.play(5.0, synthesize(TEXT, 16000))
    assert ear.sounding(5.5) == 5.0
    assert ear.sounding(ear.end) is None


@settings(max_examples=25, deadline=None)
@given(frames=st.lists(st.integers(1, 4000), min_size=1, max_size=20), since=st.floats(0, 3))
def test_who_comes_later_hears_what_is_left(frames: list[int], since: float) -> None:
    ear, sound, taken = Ear(sample_rate=8000, since=since), synthesize(TEXT, 8000), 0
    for size in frames:
        ear.play(0.0, sound[taken : taken + size])
        taken += size
    ear.play(0.0, sound[taken:])
    assert all(TEXT.endswith(utterance.text) for utterance in ear.utterances)
    assert all(utterance.start >= since - 1 / 8000 for utterance in ear.utterances)  # a sample
    ear.play(10.0, synthesize("And you?", 8000))
    assert ear.utterances[-1].text == "And you?"


def test_noise_is_no_utterance() -> None:
    ear = Ear(sample_rate=16000)
    ear.play(0.0, bytes(32000))
    assert ear.utterances == ()
    assert ear.heard_by(0.5) == ()
    assert ear.end == 1.0


def test_an_encoding_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot listen to 'mp3' audio; expected one of linear16"):
        Ear(sample_rate=24000, encoding="mp3")


@settings(max_examples=25, deadline=None)
@given(frames=st.lists(st.integers(1, 4000), min_size=1, max_size=20), cut=st.floats(0.05, 2.4))
def test_however_it_arrives_a_cut_leaves_a_true_beginning(frames: list[int], cut: float) -> None:
    ear, sound, taken = Ear(sample_rate=8000), synthesize(TEXT, 8000), 0
    for size in frames:
        ear.play(0.0, sound[taken : taken + size])
        taken += size
    ear.play(0.0, sound[taken:])
    ear.clear(cut)
    assert all(TEXT.startswith(utterance.text) for utterance in ear.utterances)

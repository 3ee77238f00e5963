import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.speech import Final, Heard, Interim, Recognizer, Word, duration, synthesize

BOOKING = "A table for two, please"


def hear(
    audio: bytes, size: int, sample_rate: int = 16000, encoding: str = "linear16"
) -> list[Heard]:
    recognizer = Recognizer(sample_rate=sample_rate, encoding=encoding)
    frames = (audio[at : at + size] for at in range(0, len(audio), size))
    return [*(event for frame in frames for event in recognizer.feed(frame)), *recognizer.finish()]


def test_interims_come_word_by_word_and_the_final_after_silence() -> None:
    recognizer = Recognizer(sample_rate=16000)
    events = recognizer.feed(synthesize("no, wait", 16000))
    assert [event.text for event in events] == ["no,"]
    assert isinstance(events[0], Interim)
    assert recognizer.feed(bytes(2 * 16000 * 15 // 100)) == []
    (final,) = recognizer.feed(bytes(2 * 16000 * 15 // 100))
    assert final == Final("no, wait", final.words)
    assert [word.text for word in final.words] == ["no,", "wait"]


def test_an_interim_comes_within_a_tenth_of_a_second_of_its_word() -> None:
    audio = synthesize(BOOKING, 16000)
    recognizer = Recognizer(sample_rate=16000)
    for at in range(0, len(audio), 640):
        for event in recognizer.feed(audio[at : at + 640]):
            space = 1.1 * 16000 / 15  # the word is known to be complete after it
            assert (at + 640) / 2 - event.words[-1].end < space + 1600


def test_speech_cut_short_ends_after_longer_silence() -> None:
    audio = synthesize(BOOKING, 16000)
    recognizer = Recognizer(sample_rate=16000)
    recognizer.feed(audio[: len(audio) // 2] + bytes(6400))
    assert recognizer.feed(bytes(2 * 16000 * 5 // 10)) == []
    assert [type(event) for event in recognizer.feed(bytes(2 * 16000 * 2 // 10))] == [Final]


def test_pauses_at_punctuation_do_not_end_an_utterance() -> None:
    text = "Yes. No? Well, maybe! Fine."
    finals = [
        event.text
        for event in hear(synthesize(text, wpm=80), 960, 24000)
        if isinstance(event, Final)
    ]
    assert finals == [text]


@pytest.mark.parametrize("sample_rate", [8000, 22050, 48000])
@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_words_carry_their_times_in_samples(sample_rate: int, wpm: int) -> None:
    lead = 4321
    audio = bytes(2 * lead) + synthesize("one, two three", sample_rate, wpm=wpm)
    final = hear(audio, 1000, sample_rate)[-1]
    unit = 60 / (wpm * 5.625) * sample_rate
    start = lead + 0.035 * sample_rate  # a start mark comes first
    expected = [
        Word("one,", round(start), round(start + 4 * unit)),
        Word("two", round(start + 7 * unit), round(start + 10 * unit)),
        Word("three", round(start + 11 * unit), round(start + 16 * unit)),
    ]
    assert [word.text for word in final.words] == [word.text for word in expected]
    for found, wanted in zip(final.words, expected, strict=True):
        assert abs(found.start - wanted.start) <= 0.004 * sample_rate
        assert abs(found.end - wanted.end) <= 0.004 * sample_rate


def test_the_first_word_of_a_cut_start_begins_where_it_is_heard() -> None:
    audio = synthesize("stable for two", 16000)[2 * 4000 :]
    final = hear(audio, 640)[-1]
    assert final.text.endswith("ble for two")
    assert 0 <= final.words[0].start < 16000 / 15
    assert final.words[-1].end == pytest.approx(len(audio) / 2, abs=16000 * 0.04)


@settings(deadline=None, max_examples=50)
@given(
    texts=st.lists(st.text("ab c.", min_size=1, max_size=8), min_size=1, max_size=3),
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=9),
    encoding=st.sampled_from(["linear16", "wav", "mulaw", "alaw"]),
)
def test_events_do_not_depend_on_the_frames(
    texts: list[str], sizes: list[int], encoding: str
) -> None:
    audio = synthesize(texts[0], 8000, encoding)
    raw = "linear16" if encoding == "wav" else encoding
    audio += b"".join(synthesize(text, 8000, raw) for text in texts[1:])
    whole = hear(audio, len(audio), 8000, encoding)
    recognizer = Recognizer(sample_rate=8000, encoding=encoding)
    events: list[Heard] = []
    at = turn = 0
    while at < len(audio):
        size = sizes[turn % len(sizes)]
        events += recognizer.feed(bytearray(audio[at : at + size]))
        at, turn = at + size, turn + 1
    assert [*events, *recognizer.finish()] == whole


def test_heard_is_what_was_heard_so_far() -> None:
    audio = synthesize("A table", 16000)
    recognizer = Recognizer(sample_rate=16000)
    assert recognizer.heard == ""
    so_far = []
    for at in range(0, len(audio), 320):
        recognizer.feed(audio[at : at + 320])
        so_far.append(recognizer.heard)
    assert list(dict.fromkeys(so_far)) == [
        "",
        "A",
        "A ",
        "A t",
        "A ta",
        "A tab",
        "A tabl",
        "A table",
    ]


def test_asking_what_was_heard_loses_no_event() -> None:
    audio = synthesize(BOOKING, 16000) + bytes(32000)
    asked = Recognizer(sample_rate=16000)
    events: list[Heard] = []
    for at in range(0, len(audio), 320):
        events += asked.feed(audio[at : at + 320])
        assert BOOKING.startswith(asked.heard)
    texts = [event.text for event in [*events, *asked.finish()]]
    assert texts == ["A", "A table", "A table for", "A table for two,", BOOKING]
    assert asked.heard == ""


def test_a_stream_goes_on_after_finish() -> None:
    recognizer = Recognizer(sample_rate=16000)
    assert recognizer.finish() == []
    (first,) = [*recognizer.feed(synthesize("Yes", 16000)), *recognizer.finish()]
    (second,) = [*recognizer.feed(synthesize("No", 16000)), *recognizer.finish()]
    assert (first.text, second.text) == ("Yes", "No")
    assert second.words[0].start == pytest.approx(
        (duration("Yes") + 0.035) * 16000, abs=16000 * 0.004
    )


def test_no_state_grows_with_the_stream() -> None:
    recognizer = Recognizer(sample_rate=8000, encoding="mulaw")
    minute = synthesize("One. Two, three. " * 20, 8000, "mulaw") + b"\xff" * 8000
    tracemalloc.start()
    held = []
    for _ in range(12):
        assert isinstance(recognizer.feed(minute)[-1], Final)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] - held[3] < 20_000

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.speech import duration, recognize, synthesize

BURST = 0.033  # s at the end of a character that carry it
EDGE = 0.003  # s by which a character may be missed or caught at a cut

TEXTS = st.text(st.sampled_from("abc lo,.?é你我😀न"), min_size=1, max_size=20)


def ends(text: str, wpm: float) -> list[float]:
    """The second at which each character ends: a shorter text is a beginning of a longer one."""
    mark = min(60 / (wpm * 5.625), BURST)  # the end mark
    pauses = [duration(text[: n + 1], wpm) for n in range(len(text))]
    return [end - mark - 0.002 for end in pauses]


@settings(deadline=None, max_examples=150)
@given(text=TEXTS, wpm=st.floats(80, 320), at=st.floats(0, 1))
def test_a_cut_end_leaves_the_characters_heard_whole(text: str, wpm: float, at: float) -> None:
    audio = synthesize(text, 8000, "mulaw", wpm)
    heard = audio[: int(at * len(audio))]
    read = recognize(heard, sample_rate=8000, encoding="mulaw")
    assert text.startswith(read)
    seconds = len(heard) / 8000
    # A pause follows its white space, so a character's end is known to within the pause.
    sounded = [end <= seconds - EDGE for end in ends(text, wpm)]
    begun = [duration(text[:n], wpm) - BURST - EDGE <= seconds for n in range(1, len(text) + 1)]
    assert sum(sounded) <= len(read)
    assert len(read) == 0 or begun[len(read) - 1] or duration(text[: len(read)], wpm) > seconds


@settings(deadline=None, max_examples=150)
@given(
    text=TEXTS, wpm=st.floats(80, 320), cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
)
def test_cuts_at_both_ends_leave_a_part_of_the_text(
    text: str, wpm: float, cuts: list[float]
) -> None:
    audio = synthesize(text, 8000, "alaw", wpm)
    first, last = (int(cut * len(audio)) for cut in cuts)
    assert recognize(audio[first:last], sample_rate=8000, encoding="alaw") in text


@pytest.mark.parametrize("sample_rate", [8000, 24000])
@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_each_character_is_heard_from_its_end_on(sample_rate: int, wpm: int) -> None:
    text = "tablefortwo"
    audio = synthesize(text, sample_rate, wpm=wpm)
    for count, end in enumerate(ends(text, wpm), 1):
        before, after = (2 * int((end + shift) * sample_rate) for shift in (-EDGE, EDGE))
        assert recognize(audio[:before], sample_rate=sample_rate) == text[: count - 1]
        assert recognize(audio[:after], sample_rate=sample_rate) == text[:count]


@pytest.mark.parametrize("wpm", [80, 160, 320])
def test_each_character_is_heard_if_its_last_33_ms_are(wpm: int) -> None:
    text = "tablefortwo"
    audio = synthesize(text, 24000, wpm=wpm)
    for count, end in enumerate(ends(text, wpm), 1):
        before, after = (2 * int((end - BURST + shift) * 24000) for shift in (-EDGE, EDGE))
        assert recognize(audio[before:], sample_rate=24000) == text[count - 1 :]
        assert recognize(audio[after:], sample_rate=24000) == text[count:]


def test_one_character_is_enough() -> None:
    audio = synthesize("yes", 24000)
    start, end = ends("yes", 160)[0], ends("yes", 160)[1]
    assert (
        recognize(audio[2 * int(start * 24000) : 2 * int((end + EDGE) * 24000)], sample_rate=24000)
        == "e"
    )


def test_an_interrupted_caller_hears_the_beginning() -> None:
    text = "A table for two at eight"
    audio = synthesize(text, 24000)
    heard = audio[: 2 * int((ends(text, 160)[len("A table for t") - 1] + 0.03) * 24000)]
    assert recognize(heard, sample_rate=24000) == "A table for t"


def test_what_follows_an_interruption_is_an_utterance_of_its_own() -> None:
    interrupted = synthesize("A table for two", 16000)
    audio = interrupted[: len(interrupted) * 3 // 4] + synthesize("Sorry?", 16000)
    assert recognize(audio, sample_rate=16000).endswith(" Sorry?")


def test_a_hole_is_marked() -> None:
    text = "abcdefgh"
    audio = synthesize(text, 16000)
    third, fourth = (2 * int(end * 16000) for end in ends(text, 160)[2:4])
    holed = audio[:third] + bytes(fourth - third) + audio[fourth:]
    assert recognize(holed, sample_rate=16000) == "abc\N{REPLACEMENT CHARACTER}efgh"


def test_a_hole_in_a_rare_character_is_marked() -> None:
    audio = synthesize("a你b", 16000, wpm=320)
    end = ends("a你b", 320)[1]
    lost = slice(2 * int((end - 0.06) * 16000), 2 * int((end - 0.03) * 16000))
    holed = audio[: lost.start] + bytes(lost.stop - lost.start) + audio[lost.stop :]
    assert recognize(holed, sample_rate=16000) == "a\N{REPLACEMENT CHARACTER}b"

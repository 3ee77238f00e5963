"""How long a text takes: slots, pauses and the pace they are spoken at (no audio here).

The unit is one letter: 5.625 letters, spaces and pauses included, are a word, so 160 words a
minute are 15 letters a second and 320 are 30.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sayna_testing.speech.alphabet import END, START, codes_of
from sayna_testing.speech.formats import expect

TICK_SECONDS = (11, 16000)  # numerator and denominator, for exact sample positions
TICK = 11 / 16000  # s: an eighth of a symbol, the grid the recogniser listens on
TICKS_PER_SYMBOL = 8
SYMBOL = TICK * TICKS_PER_SYMBOL  # 5.5 ms
SYMBOLS = 6  # a codeword
BURST_TICKS = TICKS_PER_SYMBOL * SYMBOLS  # a codeword's 33 ms, which just fit 320 words a minute
UNITS_PER_WORD = 5.625

FADE = 0.002  # s, before and after each phrase
SLOWEST, FASTEST = 10.0, 3000.0

_PAUSES = dict.fromkeys(",;:،؛", 2.0) | dict.fromkeys(".!?…؟।", 4.5)  # before white space
_CLOSED_PAUSES = dict.fromkeys("、，；：", 2.0) | dict.fromkeys("。！？", 4.5)  # anywhere


class Slot(NamedTuple):
    """One code with the seconds it is sounded and the seconds of silence after it."""

    code: int
    sound: float
    pause: float


def sample_at(tick: int, rate: int) -> int:
    """The sample at which a tick starts."""
    numerator, denominator = TICK_SECONDS
    return tick * numerator * rate // denominator


def check_pace(wpm: float) -> float:
    """Return `wpm`, or raise ValueError when it is no pace from 10 to 3000 words a minute."""
    expect("wpm", wpm, int | float, "a number")
    if not SLOWEST <= wpm <= FASTEST:
        raise ValueError(f"wpm: expected {SLOWEST:g} to {FASTEST:g} words a minute, got {wpm:g}")
    return wpm


def slots(text: str, wpm: float) -> Iterator[Slot]:
    """Yield what is sounded for `text`: a start mark, its characters, an end mark."""
    unit = 60 / (wpm * UNITS_PER_WORD)
    mark = min(unit, SYMBOLS * SYMBOL)
    yield Slot(START, mark, 0.0)
    before = ""
    for letter in text:
        codes = codes_of(letter)
        sound = max(_weight(letter), len(codes)) * unit / len(codes)
        for code in codes[:-1]:
            yield Slot(code, sound, 0.0)
        pause = _CLOSED_PAUSES.get(letter, 0.0)
        if letter.isspace():
            pause = _PAUSES.get(before, 0.0)
        yield Slot(codes[-1], sound, pause * unit)
        before = letter
    yield Slot(END, mark, 0.0)


def duration(text: str, wpm: float = 160) -> float:
    """Seconds that `text` takes at `wpm` words a minute; 0 for no text."""
    check_pace(wpm)
    if not text:
        return 0.0
    return math.fsum(slot.sound + slot.pause for slot in slots(text, wpm)) + 2 * FADE


def word_ends(words: Iterable[str], wpm: float) -> Iterator[float]:
    """Seconds after which each word has been said: the duration of the text up to there."""
    around = duration(" ", wpm) - 60 / (wpm * UNITS_PER_WORD)  # marks and fades, once a text
    before = 0.0
    for word in words:
        yield before + duration(word, wpm)
        before += duration(f"{word} ", wpm) - around


def _weight(letter: str) -> float:
    point = ord(letter)
    return 3.0 if _is_syllable(point) else 1.0


def _is_syllable(point: int) -> bool:
    """Han and Hangul: one character is a whole syllable, which takes as long as three letters."""
    return 0x3400 <= point <= 0x9FFF or 0xAC00 <= point <= 0xD7A3 or 0x20000 <= point <= 0x3FFFF

"""What a caller says, as a recogniser reports it: when each interim comes, and the final."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from sayna_testing.speech import duration, synthesize
from sayna_testing.speech.pace import word_ends


class Knobs(TypedDict, total=False):
    """How something is said: the fields of `Manner`."""

    wpm: float
    hesitation: float
    confidence: float
    interims: bool | Sequence[str]
    late: float
    duplicate: bool
    end_of_speech: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How something is said and recognised; times in seconds.

    `hesitation` comes before each word; `interims` are one a word, none, or exactly these texts;
    `late` delays the final, `duplicate` sends it twice; without `end_of_speech` the final does not
    end the utterance, so the server's own timers must (websocket.md 8.3).
    """

    wpm: float
    hesitation: float = 0.0
    confidence: float = 0.98
    interims: bool | Sequence[str] = True
    late: float = 0.0
    duplicate: bool = False
    end_of_speech: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """A pause in seconds, then a result."""

    pause: float
    text: str
    is_final: bool


def steps(text: str, manner: Manner) -> Iterator[Step]:
    """The results of one utterance in order of time."""
    words = text.split()
    ends = [
        end + count * manner.hesitation
        for count, end in enumerate(word_ends(words, manner.wpm), start=1)
    ]
    last = 0.0
    for end, interim in zip(ends, _interims(words, manner.interims), strict=False):
        yield Step(end - last, interim, is_final=False)
        last = end
    end = ends[-1] if ends else duration(text, manner.wpm)
    yield Step(max(end - last, 0.0) + manner.late, text, is_final=True)
    if manner.duplicate:
        yield Step(0.0, text, is_final=True)


def spoken(text: str, manner: Manner, sample_rate: int) -> bytes:
    """The sound of one utterance: 16-bit little-endian mono PCM."""
    if not manner.hesitation:
        return synthesize(text, sample_rate, wpm=manner.wpm)
    pause = bytes(2 * round(manner.hesitation * sample_rate))
    words = (synthesize(word, sample_rate, wpm=manner.wpm) for word in text.split())
    return b"".join(pause + word for word in words)


def _interims(words: list[str], interims: bool | Sequence[str]) -> list[str]:
    if isinstance(interims, bool):
        return [" ".join(words[:count]) for count in range(1, len(words) + 1)] if interims else []
    return list(interims)

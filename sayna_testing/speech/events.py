"""What a recogniser reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A whole word and where it sounded: `start` and `end` in samples from the stream's start."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Interim:
    """The utterance under way up to its last complete word."""

    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Final:
    """A whole utterance, exactly as it was spoken, white space included."""

    text: str
    words: tuple[Word, ...]


Heard = Interim | Final

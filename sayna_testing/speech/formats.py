"""What audio bytes are said to be: sample rate and encoding, checked (no audio here)."""

from types import UnionType
from typing import NamedTuple

LOWEST_RATE, HIGHEST_RATE = 8000, 48000
ENCODINGS = {
    "linear16": "linear16",
    "pcm": "linear16",
    "wav": "wav",
    "mulaw": "mulaw",
    "ulaw": "mulaw",
    "alaw": "alaw",
}  # what callers may say: what it is


class Format(NamedTuple):
    """A checked sample rate (Hz) and encoding, mono."""

    sample_rate: int
    encoding: str

    @property
    def width(self) -> int:
        """Bytes a sample."""
        return 1 if self.encoding in ("mulaw", "alaw") else 2


def expect(name: str, value: object, kinds: type | UnionType, what: str) -> None:
    """Raise a TypeError that names the argument unless `value` is of `kinds` (a bool is none)."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"{name}: expected {what}, got {type(value).__name__}")


def audio_format(sample_rate: int, encoding: str) -> Format:
    """Check both; raises TypeError or ValueError that says what was expected and what came."""
    expect("sample_rate", sample_rate, int, "an int (Hz)")
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(
            f"sample_rate: expected {LOWEST_RATE} to {HIGHEST_RATE} Hz, got {sample_rate}"
        )
    expect("encoding", encoding, str, "a str")
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding: expected one of {', '.join(ENCODINGS)}, got {encoding!r}")
    return Format(sample_rate, ENCODINGS[encoding])

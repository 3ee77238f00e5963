"""Synthetic speech whose sound carries its own text, and the ear that reads it back.

Numpy does the sums; it is loaded by the first sound made or heard, not by this import.
"""

from sayna_testing.speech.events import Final, Heard, Interim, Word
from sayna_testing.speech.formats import audio_format, expect
from sayna_testing.speech.pace import check_pace, duration
from sayna_testing.speech.recognizer import Recognizer, recognize

__all__ = ["Final", "Heard", "Interim", "Recognizer", "Word", "duration", "recognize", "synthesize"]


def synthesize(
    text: str, sample_rate: int = 24000, encoding: str = "linear16", wpm: float = 160
) -> bytes:
    """Speak `text`: mono audio of a natural length, the same bytes each time.

    `sample_rate` is 8000 to 48000 Hz; `encoding` is linear16, wav, mulaw or alaw; `wpm` is 10 to
    3000 words a minute, of which 80 to 320 read back. Raises TypeError or ValueError.
    """
    form = audio_format(sample_rate, encoding)
    check_pace(wpm)
    expect("text", text, str, "a str")
    from sayna_testing.speech.voice import speak

    return speak(text, form, wpm)

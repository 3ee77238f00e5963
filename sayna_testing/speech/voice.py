"""The voice: slots become one tone at a time, held where the pace leaves time."""

import numpy as np
from numpy.typing import NDArray

from sayna_testing.speech.codebook import FREQUENCIES, codebook
from sayna_testing.speech.encodings import encode
from sayna_testing.speech.formats import Format
from sayna_testing.speech.pace import FADE, SYMBOL, SYMBOLS, slots

LEVEL = 0.5  # peak, of full scale


def speak(text: str, form: Format, wpm: float) -> bytes:
    """The sound of `text`; no samples for no text."""
    return encode(_sound(text, form.sample_rate, wpm) if text else np.zeros(0), form)


def _sound(text: str, rate: int, wpm: float) -> NDArray[np.float64]:
    tones, lengths, rests = _schedule(text, wpm)
    edges = np.rint(np.cumsum(np.concatenate(([FADE], lengths))) * rate).astype(np.int64)
    total = int(edges[-1]) + round(FADE * rate)
    counts = np.diff(edges, prepend=0, append=total)
    tones = np.concatenate((tones[:1], tones, tones[-1:]))
    sound: NDArray[np.float64] = np.repeat(FREQUENCIES[tones] * (2 * np.pi / rate), counts)
    np.cumsum(sound, out=sound)  # the phase
    np.sin(sound, out=sound)
    silent = np.flatnonzero(rests)
    _fade(sound, [(edges[at], edges[at + 1]) for at in silent], rate)
    sound *= LEVEL
    return sound


def _schedule(
    text: str, wpm: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Tones, their seconds, and whether they are rests (a rest leads into the next tone)."""
    plan = list(slots(text, wpm))
    codes = np.array([slot.code for slot in plan])
    sound = np.array([slot.sound for slot in plan])
    pause = np.array([slot.pause for slot in plan])
    codewords = 2 * codes + np.arange(len(codes)) % 2
    symbol = np.minimum(SYMBOL, sound / SYMBOLS)
    tones = np.empty((len(plan), SYMBOLS + 1), np.int64)
    tones[:, :SYMBOLS] = codebook().codewords[:, codewords].T
    tones[:, SYMBOLS] = np.append(tones[1:, 0], 0)
    lengths = np.repeat(symbol[:, None], SYMBOLS + 1, axis=1)
    lengths[:, 0] = sound - (SYMBOLS - 1) * symbol
    lengths[:, SYMBOLS] = pause
    rests = np.zeros(tones.shape, bool)
    rests[:, SYMBOLS] = pause > 0
    kept = lengths.ravel() > 0
    return tones.ravel()[kept], lengths.ravel()[kept], rests.ravel()[kept]


def _fade(sound: NDArray[np.float64], gaps: list[tuple[int, int]], rate: int) -> None:
    """Silence the gaps, with cosine slopes that lie in their edges and at both ends."""
    fade = round(FADE * rate)
    up = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    down = up[::-1]
    sound[:fade] *= up
    sound[len(sound) - fade :] *= down
    for start, stop in gaps:
        edge = min(fade, (stop - start) // 2)
        sound[start : start + edge] *= down[:edge]
        sound[start + edge : stop - edge] = 0.0
        sound[stop - edge : stop] *= up[fade - edge :]

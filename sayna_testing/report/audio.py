"""Audio for eyes and for small pages: peaks to draw, and telephone-quality bytes to play."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sayna_testing.report.playback import Clip
from sayna_testing.speech.encodings import decode, encode
from sayna_testing.speech.formats import ENCODINGS, Format

PHONE_RATE = 8000
"""Hz of the audio kept in a page: the telephone band, which holds all of the synthetic speech."""

_PHONE = Format(PHONE_RATE, "mulaw")

Samples = NDArray[np.float32]


def samples(clip: Clip) -> Samples:
    """The samples of a clip, 1.0 is full scale; none for formats that are not plain samples."""
    encoding = ENCODINGS.get(clip.form.encoding, "")
    if not clip.form.bytes_per_second:
        return np.zeros(0, np.float32)
    whole = len(clip.audio) - len(clip.audio) % (2 if encoding == "linear16" else 1)
    return decode(clip.audio[:whole], encoding)


def peaks(wave: Samples, count: int) -> tuple[int, ...]:
    """The loudest of `count` equal stretches each, 0 to 100."""
    if not len(wave) or count < 1:
        return ()
    starts = np.arange(count) * len(wave) // count
    loudest = np.maximum.reduceat(np.abs(wave), starts)
    return tuple(int(value) for value in np.rint(np.minimum(loudest, 1.0) * 100))


def phone(wave: Samples, sample_rate: int) -> bytes:
    """The same sound as mu-law at 8 kHz, each sample the mean of the stretch it stands for."""
    ratio = sample_rate / PHONE_RATE
    edges = np.arange(int(len(wave) / ratio) + 1) * ratio
    total = np.concatenate(([0.0], np.cumsum(wave, dtype=np.float64)))
    means = np.diff(np.interp(edges, np.arange(len(total)), total)) / ratio
    return encode(means, _PHONE)

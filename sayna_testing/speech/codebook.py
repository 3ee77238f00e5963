"""The code: which six tones sound a code word, and which code word six tones are.

A word is a polynomial of degree two over the integers modulo 17, read at six points (a
Reed-Solomon code): two words differ in at least four of six tones and any three give the word.
Words that repeat a tone at once are left out, so a held tone is never a word.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TONES = 17
FREQUENCIES = 500.0 + 170.0 * np.arange(TONES)  # Hz, 500 to 3220

_POINTS = (
    9,
    10,
    7,
    3,
    13,
    1,
)  # no word shifted by a tone or two is nearly another; five tones or more in each


class Codebook(NamedTuple):
    """Words (n x 6 tones) and the word of a tone triple: its first three, its last three."""

    words: NDArray[np.int64]
    by_front: NDArray[np.int64]
    by_back: NDArray[np.int64]


@cache
def codebook() -> Codebook:
    """The words, in an order that never changes; -1 where three tones belong to none."""
    grid = np.indices((TONES, TONES, TONES)).reshape(3, -1)
    powers = np.array([[pow(point, degree, TONES) for degree in range(3)] for point in _POINTS])
    every = (powers @ grid % TONES).T
    words = every[(np.diff(every, axis=1) != 0).all(axis=1)]
    return Codebook(words, _inverse(words[:, :3]), _inverse(words[:, 3:]))


def key(triples: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each row of three tones."""
    keys: NDArray[np.int64] = triples @ np.array([TONES * TONES, TONES, 1])
    return keys


def _inverse(triples: NDArray[np.int64]) -> NDArray[np.int64]:
    table = np.full(TONES**3, -1)
    table[key(triples)] = np.arange(len(triples))
    return table

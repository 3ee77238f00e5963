"""The code: which six tones sound a codeword, and which codeword six tones are.

A codeword is a polynomial of degree two over the integers modulo 17, read at six points (a
Reed-Solomon code): two of them differ in at least four of six tones, and any three tones give the
codeword. Those that repeat a tone at once are left out, so a held tone is never a codeword.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TONES = 17
FREQUENCIES = 500.0 + 170.0 * np.arange(TONES, dtype=np.float64)  # Hz, 500 to 3220

# With these points no codeword shifted by a tone or two is nearly another, and each has at least
# five different tones.
_POINTS = (9, 10, 7, 3, 13, 1)


class Codebook(NamedTuple):
    """Codewords (6 tones x n) and their numbers by their first three tones and by their last."""

    codewords: NDArray[np.int64]
    by_front: NDArray[np.int64]
    by_back: NDArray[np.int64]


@cache
def codebook() -> Codebook:
    """The codewords in an order that never changes; -1 where three tones belong to none."""
    grid = np.indices((TONES, TONES, TONES)).reshape(3, -1)
    powers = np.array([[pow(point, degree, TONES) for degree in range(3)] for point in _POINTS])
    every = (powers @ grid % TONES).T
    codewords = every[(np.diff(every, axis=1) != 0).all(axis=1)]
    tones = np.ascontiguousarray(codewords.T)
    return Codebook(tones, _inverse(tones[:3]), _inverse(tones[3:]))


def key(triples: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each column of three tones."""
    first, second, third = triples
    keys: NDArray[np.int64] = (first * TONES + second) * TONES + third
    return keys


def _inverse(triples: NDArray[np.int64]) -> NDArray[np.int64]:
    table = np.full(TONES**3, -1)
    table[key(triples)] = np.arange(triples.shape[1])
    return table

"""The ear: samples become the power of each tone, and those become sightings of codewords."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayna_testing.speech.codebook import FREQUENCIES, TONES, codebook, key
from sayna_testing.speech.pace import SYMBOL, SYMBOLS, TICK_SECONDS, TICKS_PER_SYMBOL

SPAN = TICKS_PER_SYMBOL * (SYMBOLS - 1)  # ticks from a codeword's first tone to its last
FLOOR = 1e-6  # power below which a tone is silence: -60 dB of full scale
CLEAR = 0.25  # a tone of a codeword has at least this part of the loudest tone's power
SHARE = 0.29  # a codeword has at least this part of the power; white noise stays below 0.27
LEAK = 0.1  # the part of its power that a codeword may lend to the runner-up tones
SPREAD = 0.24  # the part of the remaining power that the runner-up tones may then have

_QUIET = np.sqrt(FLOOR) * np.pi / 4  # below this peak no tone can reach FLOOR
_TINY = np.float32(1e-12)
_ALONE = 190_000  # multiplications at a time: too few for BLAS to wake threads over
_OFFSETS = np.arange(0, SPAN + 1, TICKS_PER_SYMBOL)

Powers = NDArray[np.float32]


class Sighting(NamedTuple):
    """A codeword seen at a tick, and how well.

    `share` is its part of the power in the band: the mean over its tones but the best, so that
    noise after the last tone of a real one is none. `spread` is the part of all other power that
    is in the strongest other tone: about 0.2 for noise, less for a clean voice, more for other
    sounds.
    """

    tick: int
    codeword: int
    share: float
    spread: float


def tick_starts(first: int, last: int, rate: int) -> NDArray[np.int64]:
    """The samples at which the ticks from `first` to before `last` start."""
    numerator, denominator = TICK_SECONDS
    return np.arange(first, last) * (numerator * rate) // denominator


def window(rate: int) -> int:
    """Samples of one symbol."""
    return round(SYMBOL * rate)


def powers(samples: NDArray[np.float32], starts: NDArray[np.int64], rate: int) -> Powers:
    """Power of each tone in the symbol-long window at each start (amplitude squared)."""
    basis = _basis(rate)
    heard = samples[starts[0] : starts[-1] + len(basis)]
    if max(heard.max(), -heard.min()) < _QUIET:
        return np.zeros((len(starts), TONES), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(heard, len(basis))[starts - starts[0]]
    parts = np.empty((len(starts), 2 * TONES), np.float32)
    step = _ALONE // basis.size
    for row in range(0, len(starts), step):
        np.matmul(frames[row : row + step], basis, out=parts[row : row + step])
    parts *= parts
    power: Powers = np.add(parts[:, :TONES], parts[:, TONES:], dtype=np.float32)
    return power


def sightings(power: Powers, first: int) -> list[Sighting]:
    """Codewords that begin in consecutive ticks, of which row 0 is tick `first`.

    The last SPAN ticks only end codewords.
    """
    count = max(0, len(power) - SPAN)
    tone = power.argmax(axis=1)
    loud = np.flatnonzero(power[np.arange(count), tone[:count]] > FLOOR)
    at, codewords = _matches(tone, loud)
    if not len(at):
        return []
    share, spread = _quality(power, at, codebook().codewords[:, codewords])
    good = (share >= SHARE) & (spread <= SPREAD)
    columns = (part[good].tolist() for part in (first + at, codewords, share, spread))
    return sorted(map(Sighting, *columns))


@cache
def _basis(rate: int) -> NDArray[np.float32]:
    size = window(rate)
    angle = 2 * np.pi / rate * np.outer(np.arange(size), FREQUENCIES)
    return (np.hstack((np.cos(angle), np.sin(angle))) * (2 / size)).astype(np.float32)


def _matches(
    tone: NDArray[np.int64], ticks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of `ticks` start a codeword with at most one wrong tone, and which codeword.

    One wrong tone leaves the first three or the last three right, and any three are enough.
    """
    heard = tone[ticks + _OFFSETS[:, None]]
    book = codebook()
    fronts = book.by_front[key(heard[:3])]
    backs = book.by_back[key(heard[3:])]
    front = _nearly(book.codewords[3:, fronts], heard[3:]) & (fronts >= 0)
    back = _nearly(book.codewords[:3, backs], heard[:3]) & (backs >= 0) & (backs != fronts)
    return (
        np.concatenate((ticks[front], ticks[back])),
        np.concatenate((fronts[front], backs[back])),
    )


def _nearly(tones: NDArray[np.int64], heard: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where at least two of three are right."""
    first, second, third = tones == heard
    two: NDArray[np.bool_] = (first & second) | (first & third) | (second & third)
    return two


def _quality(
    power: Powers, at: NDArray[np.int64], tones: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The share and the spread of each codeword (6 x n tones); no share where a tone is missing."""
    rest = power.T[:, at + _OFFSETS[:, None]]
    own = np.take_along_axis(rest, tones[None], axis=0)[0]
    np.put_along_axis(rest, tones[None], 0.0, axis=0)
    second, others = rest.max(axis=0), rest.sum(axis=0)
    clear = ((own >= CLEAR * second) & (own > FLOOR)).all(axis=0)
    part = own / (own + others + _TINY)
    share: NDArray[np.float32] = clear * (part.sum(axis=0) - part.max(axis=0)) / (SYMBOLS - 1)
    beyond = second.sum(axis=0) - LEAK * own.sum(axis=0)
    spread: NDArray[np.float32] = beyond / (others.sum(axis=0) + _TINY)
    return share, spread

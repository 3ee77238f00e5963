"""The ear: samples become the power of each tone, and those become sightings of code words."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayna_testing.speech.codebook import FREQUENCIES, codebook, key
from sayna_testing.speech.encodings import decode
from sayna_testing.speech.formats import Format
from sayna_testing.speech.pace import SYMBOLS, TICKS_PER_SYMBOL
from sayna_testing.speech.wav import WavHeader

SPAN = TICKS_PER_SYMBOL * (SYMBOLS - 1)  # ticks from a word's first tone to its last
FLOOR = 1e-6  # power below which a tone is silence: -60 dB of full scale
TINY = np.float32(1e-12)
MOST = 4096  # ticks listened to at once: bounds what memory a long clip takes
CLEAR = 0.25  # a tone of a word has at least this part of the loudest tone's power
SHARE = 0.31  # a word has at least this part of its tones' power; white noise stays below 0.29
LEAK = 0.1  # the part of its power that a word may lend to the runner-up tones
SPREAD = 0.24  # the part of the remaining power that runner-up tones may then have

Powers = NDArray[np.float32]


class Sighting(NamedTuple):
    """A code word seen at a tick, and how well.

    `share` is its part of the power in the band. `spread` is the part of all other power that is in
    the strongest other tone: about 0.2 for noise, less for a clean voice, more for other sounds.
    """

    tick: int
    word: int
    share: float
    spread: float


def tick_starts(first: int, last: int, rate: int) -> NDArray[np.int64]:
    """The sample at which each tick from `first` up to `last` starts."""
    return (np.arange(first, last) * (11 * rate) + 8000) // 16000


def window(rate: int) -> int:
    """Samples of one symbol."""
    return (88 * rate + 8000) // 16000


@cache
def _basis(rate: int) -> NDArray[np.float32]:
    size = window(rate)
    angle = 2 * np.pi / rate * np.outer(np.arange(size), FREQUENCIES)
    return (np.hstack((np.cos(angle), np.sin(angle))) * (2 / size)).astype(np.float32)


def powers(samples: NDArray[np.float32], starts: NDArray[np.int64], rate: int) -> Powers:
    """Power of each tone in the symbol-long window at each start (amplitude squared)."""
    basis = _basis(rate)
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(basis))[starts]
    parts = frames @ basis
    parts *= parts
    tones = len(FREQUENCIES)
    power: Powers = np.add(parts[:, :tones], parts[:, tones:], dtype=np.float32)
    return power


def sightings(power: Powers, first: int) -> list[Sighting]:
    """Words in consecutive ticks of which row 0 is tick `first`; the last SPAN start none."""
    count = len(power) - SPAN
    if count <= 0:
        return []
    loudest = power.max(axis=1)
    if not (loudest > FLOOR).any():
        return []
    tone = power.argmax(axis=1)
    heard = np.stack([tone[at : at + count] for at in range(0, SPAN + 1, TICKS_PER_SYMBOL)], axis=1)
    book = codebook()
    ticks: list[NDArray[np.int64]] = []
    words: list[NDArray[np.int64]] = []
    for table, half in ((book.by_front, slice(0, 3)), (book.by_back, slice(3, 6))):
        word = table[key(heard[:, half])]
        fits = (book.words[word] == heard).sum(axis=1) >= SYMBOLS - 1
        at = np.flatnonzero(fits & (word >= 0) & (loudest[:count] > FLOOR))
        ticks.append(at)
        words.append(word[at])
    at, word = np.concatenate(ticks), np.concatenate(words)
    rows = at[:, None] + np.arange(0, SPAN + 1, TICKS_PER_SYMBOL)
    share, spread = _quality(power[rows], book.words[word])
    good = (share >= SHARE) & (spread <= SPREAD)
    columns = (part[good].tolist() for part in (first + at, word, share, spread))
    return sorted({Sighting(*row) for row in zip(*columns, strict=True)})


def _quality(
    power: Powers, word: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The share and the spread of each word (n x 6); no share where it is not a voice's at all."""
    rest = power.copy()
    own = np.take_along_axis(power, word[:, :, None], axis=2)[:, :, 0]
    np.put_along_axis(rest, word[:, :, None], 0.0, axis=2)
    second, others = rest.max(axis=2), rest.sum(axis=2)
    clear = ((own >= CLEAR * second) & (own > FLOOR)).all(axis=1)
    share: NDArray[np.float32] = clear * (own / (own + others + TINY)).mean(axis=1)
    beyond = second.sum(axis=1) - LEAK * own.sum(axis=1)
    spread: NDArray[np.float32] = beyond / (others.sum(axis=1) + TINY)
    return share, spread


class Ear:
    """Bytes in, sightings out; keeps only the samples and powers that are still needed."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._header = WavHeader(form.sample_rate) if form.encoding == "wav" else None
        self._raw = bytearray()  # not yet decoded
        self._samples = np.zeros(0, np.float32)
        self._origin = 0  # the stream position of the first kept sample
        self._powers = np.zeros((0, len(FREQUENCIES)), np.float32)
        self._tick = 0  # the next tick to listen to

    def take(self, data: bytes) -> None:
        """Add bytes to the stream; half a sample waits for its other half."""
        if self._header:
            found = self._header.take(data)
            if found is None:
                return
            self._header, (self._form, data) = None, found
        self._raw += data

    def listen(self, batch: int) -> Iterator[tuple[int, list[Sighting]]]:
        """Yield the sightings of complete ticks, in batches of a multiple of `batch` ticks.

        Each comes with the tick before which no sighting is still to come.
        """
        ready = self._ready()
        if ready < batch:
            return
        self._decode()
        while ready >= batch:
            count = min(ready - ready % batch, MOST)
            ready -= count
            yield self._hear(count)
        gone = int(tick_starts(self._tick, self._tick + 1, self._form.sample_rate)[0])
        gone = min(gone - self._origin, len(self._samples))
        self._samples = self._samples[gone:]
        self._origin += gone

    def _ready(self) -> int:
        """How many ticks have their whole window."""
        rate = self._form.sample_rate
        end = self._origin + len(self._samples) + len(self._raw) // self._form.width
        return max(0, (end - window(rate)) * 16000 // (11 * rate) + 1 - self._tick)

    def _decode(self) -> None:
        whole = len(self._raw) - len(self._raw) % self._form.width
        fresh = decode(bytes(self._raw[:whole]), self._form.encoding)
        self._samples = np.concatenate((self._samples, fresh))
        del self._raw[:whole]

    def _hear(self, count: int) -> tuple[int, list[Sighting]]:
        rate = self._form.sample_rate
        starts = tick_starts(self._tick, self._tick + count, rate) - self._origin
        fresh = powers(self._samples, starts, rate)
        self._powers = np.concatenate((self._powers, fresh))
        self._tick += count
        seen = sightings(self._powers, self._tick - len(self._powers))
        self._powers = self._powers[-SPAN:]
        return self._tick - SPAN, seen

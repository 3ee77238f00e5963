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
MOST = 4096  # ticks listened to at once: bounds what memory a long clip takes
CLEAR = 0.25  # a tone of a word has at least this part of the loudest tone's power

Powers = NDArray[np.float32]


class Sighting(NamedTuple):
    """A code word seen at a tick; `share` is its part of the power in the band, 0 to 1."""

    tick: int
    word: int
    share: float


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
    own = power[rows, book.words[word]]
    clear = (own >= CLEAR * loudest[rows]).all(axis=1)
    share = own.sum(axis=1) / power[rows].sum(axis=(1, 2))
    found = zip(at[clear].tolist(), word[clear].tolist(), share[clear].tolist(), strict=True)
    return sorted({Sighting(first + tick, word, share) for tick, word, share in found})


class Ear:
    """Bytes in, sightings out; keeps only the samples and powers that are still needed."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._header = WavHeader(form.sample_rate) if form.encoding == "wav" else None
        self._rest = b""
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
        data = self._rest + data
        whole = len(data) - len(data) % self._form.width
        self._rest = data[whole:]
        self._samples = np.append(self._samples, decode(data[:whole], self._form.encoding))

    def listen(self, batch: int) -> Iterator[tuple[int, list[Sighting]]]:
        """Yield the sightings of complete ticks, in batches of a multiple of `batch` ticks.

        Each comes with the tick before which no sighting is still to come.
        """
        rate = self._form.sample_rate
        size = window(rate)
        end = self._origin + len(self._samples)
        ready = max(0, (end - size) * 16000 // (11 * rate) + 1 - self._tick)
        while ready >= batch:
            count = min(ready - ready % batch, MOST)
            starts = tick_starts(self._tick, self._tick + count, rate) - self._origin
            self._powers = np.concatenate((self._powers, powers(self._samples, starts, rate)))
            self._tick += count
            ready -= count
            first = self._tick - len(self._powers)
            seen = sightings(self._powers, first)
            self._powers = self._powers[-SPAN:]
            yield self._tick - SPAN, seen
        gone = min(int(tick_starts(self._tick, self._tick + 1, rate)[0]), end) - self._origin
        self._samples = self._samples[gone:]
        self._origin += gone

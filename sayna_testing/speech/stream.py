"""A stream of audio bytes as sightings; keeps only the samples and powers still needed."""

from collections.abc import Iterator

import numpy as np

from sayna_testing.speech.codebook import TONES
from sayna_testing.speech.ear import SPAN, Sighting, powers, sightings, tick_starts, window
from sayna_testing.speech.encodings import decode
from sayna_testing.speech.formats import Format
from sayna_testing.speech.pace import TICK_SECONDS, sample_at
from sayna_testing.speech.wav import WavHeader

MOST = 4096  # ticks listened to at once: bounds what memory a long clip takes


class Stream:
    """Bytes in, sightings out, on a grid of ticks that does not depend on how the bytes come."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._header = WavHeader(form.sample_rate) if form.encoding == "wav" else None
        self._raw = bytearray()  # not yet decoded
        self._samples = np.zeros(0, np.float32)
        self._origin = 0  # the stream position of the first kept sample
        self._powers = np.zeros((0, TONES), np.float32)
        self._tick = 0  # the next tick to listen to

    def take(self, data: bytes) -> None:
        """Add bytes; half a sample waits for its other half. Raises ValueError for a bad WAV."""
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
        gone = min(sample_at(self._tick, self._form.sample_rate) - self._origin, len(self._samples))
        self._samples = self._samples[gone:].copy()  # a view would keep the whole
        self._origin += gone

    def _ready(self) -> int:
        """How many ticks have their whole window."""
        rate = self._form.sample_rate
        numerator, denominator = TICK_SECONDS
        received = self._origin + len(self._samples) + len(self._raw) // self._form.width
        room = received - window(rate) + 1  # sample positions at which a window is complete
        return max(0, -(-room * denominator // (numerator * rate)) - self._tick)

    def _decode(self) -> None:
        whole = len(self._raw) - len(self._raw) % self._form.width
        fresh = decode(bytes(self._raw[:whole]), self._form.encoding)
        self._samples = np.concatenate((self._samples, fresh))
        del self._raw[:whole]

    def _hear(self, count: int) -> tuple[int, list[Sighting]]:
        rate = self._form.sample_rate
        starts = tick_starts(self._tick, self._tick + count, rate) - self._origin
        self._powers = np.concatenate((self._powers, powers(self._samples, starts, rate)))
        self._tick += count
        seen = sightings(self._powers, self._tick - len(self._powers))
        self._powers = self._powers[-SPAN:]
        return self._tick - SPAN, seen

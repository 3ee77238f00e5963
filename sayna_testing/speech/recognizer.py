"""The streaming recogniser: frames of bytes in, what was heard out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sayna_testing.speech.events import Final, Heard
from sayna_testing.speech.formats import audio_format, expect
from sayna_testing.speech.tracker import Tracker

if TYPE_CHECKING:
    from sayna_testing.speech.stream import Stream

BATCH = 64  # ticks (44 ms) that are listened to at a time
PIECE = 1 << 20  # bytes of a clip taken at a time


class Recognizer:
    """Hears synthetic speech in a stream of audio, whatever the size of its frames.

    `sample_rate` is 8000 to 48000 Hz; `encoding` is linear16, wav, mulaw or alaw, mono. Raises
    TypeError or ValueError. Its memory grows with the utterance under way, not with the stream.
    """

    def __init__(self, *, sample_rate: int, encoding: str = "linear16") -> None:
        self._format = audio_format(sample_rate, encoding)
        self._tracker = Tracker(sample_rate)
        self._stream: Stream | None = None
        self._events: list[Heard] = []  # noticed while somebody asked what was heard

    @property
    def heard(self) -> str:
        """What has been heard so far of the utterance under way, in whole characters."""
        self._events.extend(self._listen(1))
        return self._tracker.text

    def feed(self, frame: bytes | bytearray | memoryview) -> list[Heard]:
        """Hear some bytes (any number) and report what is new; ValueError for a WAV that is none.

        Half a sample waits for its other half. An Interim comes with each word completed, a Final
        after silence: 0.2 s after a whole utterance, 0.8 s after one cut short.
        """
        expect("audio", frame, bytes | bytearray | memoryview, "bytes")
        if self._stream is None:
            from sayna_testing.speech.stream import Stream

            self._stream = Stream(self._format)
        self._stream.take(bytes(frame))
        return self._report(self._listen(BATCH))

    def finish(self) -> list[Heard]:
        """End the utterance under way and report what is left; the stream may go on."""
        return self._report([*self._listen(1), *self._tracker.finish()])

    def _listen(self, batch: int) -> Iterator[Heard]:
        if self._stream is None:
            return
        for tick, sightings in self._stream.listen(batch):
            for sighting in sightings:
                yield from self._tracker.see(sighting)
            yield from self._tracker.reach(tick)

    def _report(self, new: Iterable[Heard]) -> list[Heard]:
        events, self._events = [*self._events, *new], []
        return events


def recognize(
    audio: bytes | bytearray | memoryview, *, sample_rate: int, encoding: str = "linear16"
) -> str:
    """Read what `audio` says; several utterances are joined by a space, no speech is no text.

    `sample_rate` is 8000 to 48000 Hz; `encoding` is linear16, wav, mulaw or alaw, mono; half a
    sample at the end is ignored. Raises TypeError or ValueError, the latter also for a WAV that is
    none, is not mono, or is of another rate.
    """
    expect("audio", audio, bytes | bytearray | memoryview, "bytes")
    recognizer = Recognizer(sample_rate=sample_rate, encoding=encoding)
    data = memoryview(audio).cast("B")
    said: list[str] = []
    for at in range(0, len(data), PIECE):
        said += _finals(recognizer.feed(data[at : at + PIECE]))
    return " ".join([*said, *_finals(recognizer.finish())])


def _finals(events: list[Heard]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final)]

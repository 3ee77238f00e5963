"""The streaming recogniser: frames of bytes in, what was heard out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sayna_testing.speech.events import Final, Heard
from sayna_testing.speech.formats import audio_format, expect
from sayna_testing.speech.tracker import Tracker

if TYPE_CHECKING:
    from sayna_testing.speech.ear import Ear

BATCH = 64  # ticks (44 ms) that are listened to at a time


class Recognizer:
    """Hears synthetic speech in a stream of audio, whatever the size of its frames.

    `sample_rate` is in Hz, 8000 to 48000; `encoding` is linear16, wav, mulaw or alaw, mono.
    The memory it needs does not grow with the stream, only with the utterance under way.
    """

    def __init__(self, *, sample_rate: int, encoding: str = "linear16") -> None:
        self._format = audio_format(sample_rate, encoding)
        self._tracker = Tracker(sample_rate)
        self._ear: Ear | None = None
        self._events: list[Heard] = []

    @property
    def heard(self) -> str:
        """What has been heard so far of the utterance under way, in whole characters."""
        self._listen(1)
        return self._tracker.text

    def feed(self, frame: bytes | bytearray | memoryview) -> list[Heard]:
        """Hear one frame (any number of bytes) and report what is new."""
        expect("audio", frame, bytes | bytearray | memoryview, "bytes")
        if self._ear is None:
            from sayna_testing.speech.ear import Ear

            self._ear = Ear(self._format)
        self._ear.take(bytes(frame))
        self._listen(BATCH)
        return self._report()

    def finish(self) -> list[Heard]:
        """End the utterance under way and report what is left; the stream may go on."""
        self._listen(1)
        self._events.extend(self._tracker.finish())
        return self._report()

    def _listen(self, batch: int) -> None:
        if self._ear is None:
            return
        for tick, sightings in self._ear.listen(batch):
            for sighting in sightings:
                self._events.extend(self._tracker.see(sighting))
            self._events.extend(self._tracker.reach(tick))

    def _report(self) -> list[Heard]:
        events, self._events = self._events, []
        return events


def recognize(
    audio: bytes | bytearray | memoryview, *, sample_rate: int, encoding: str = "linear16"
) -> str:
    """Read what `audio` says; several utterances are joined by a space, no speech is no text."""
    recognizer = Recognizer(sample_rate=sample_rate, encoding=encoding)
    events = [*recognizer.feed(audio), *recognizer.finish()]
    return " ".join(event.text for event in events if isinstance(event, Final))

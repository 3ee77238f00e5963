"""Audio to results: synthetic speech is recognised, silence costs next to nothing.

Each participant, and the client's own stream, has an ear of its own. A stream that stops ends the
utterance under way after `PAUSE` seconds of clock.
"""

import asyncio
from collections.abc import Callable

from sayna_testing.server.ws.messages import Result
from sayna_testing.speech import Final, Heard, Recognizer

PAUSE = 1.0
INTERIM_CONFIDENCE, FINAL_CONFIDENCE = 0.9, 0.98

_SILENCE = {
    "linear16": b"\x00",
    "pcm": b"\x00",
    "mulaw": b"\xff\x7f",
    "ulaw": b"\xff\x7f",
    "alaw": b"\xd5\x55",
}

Report = Callable[[Result], object]


class Hearing:
    """The ears of one pipeline; an encoding or rate no recogniser takes is heard as silence."""

    def __init__(self, sample_rate: int, encoding: str, report: Report) -> None:
        self._report = report
        self._client = _ear(sample_rate, encoding, report)
        self._ears: dict[tuple[str, int], _Ear | None] = {}

    def feed(self, audio: bytes) -> None:
        """Hear the client's stream."""
        if self._client is not None:
            self._client.feed(audio)

    def feed_room(self, identity: str, pcm: bytes, sample_rate: int) -> None:
        """Hear a participant: 16-bit mono PCM, taken to be of this rate."""
        key = identity, sample_rate
        if key not in self._ears:
            self._ears[key] = _ear(sample_rate, "linear16", self._report)
        ear = self._ears[key]
        if ear is not None:
            ear.feed(pcm)

    def stop(self) -> None:
        """Hear nothing more and report nothing more."""
        for ear in (self._client, *self._ears.values()):
            if ear is not None:
                ear.stop()


def _ear(sample_rate: int, encoding: str, report: Report) -> "_Ear | None":
    if encoding not in _SILENCE:
        return None
    try:
        recognizer = Recognizer(sample_rate=sample_rate, encoding=encoding)
    except ValueError:
        return None
    return _Ear(recognizer, _SILENCE[encoding], report)


class _Ear:
    """One stream: asleep while it is silent."""

    def __init__(self, recognizer: Recognizer, silence: bytes, report: Report) -> None:
        self._recognizer = recognizer
        self._silence = silence
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._awake = False
        self._fed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, audio: bytes) -> None:
        if not self._awake and not audio.strip(self._silence):
            return
        self._awake = True
        self._fed_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(PAUSE, self._check)
        self._tell(self._recognizer.feed(audio))

    def stop(self) -> None:
        self._awake = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        """End the utterance unless audio came meanwhile."""
        due = self._fed_at + PAUSE
        self._timer = None
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._check)
            return
        self._tell(self._recognizer.finish())
        self._awake = False

    def _tell(self, events: list[Heard]) -> None:
        for event in events:
            final = isinstance(event, Final)
            confidence = FINAL_CONFIDENCE if final else INTERIM_CONFIDENCE
            self._report(
                Result(event.text, is_final=final, is_speech_final=final, confidence=confidence)
            )
            if final:
                self._sleep_if_quiet()

    def _sleep_if_quiet(self) -> None:
        if not self._recognizer.heard:
            self.stop()

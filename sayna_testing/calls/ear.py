"""What a caller hears: sound played in real time as it arrives, read back as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sayna_testing.speech import Final, Recognizer, recognize

_WIDTH = {"linear16": 2, "pcm": 2, "mulaw": 1, "ulaw": 1, "alaw": 1}
_SAME = {"pcm": "linear16", "ulaw": "mulaw"}


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something heard: its text, and from when to when it sounds, in seconds.

    `cut` tells that it was broken off; then `text` is the part that sounded, whole characters only.
    """

    text: str
    start: float
    end: float
    cut: bool = False


@dataclass(slots=True)
class _Stretch:
    """Sound without a gap, and a recogniser that has listened to the first `read` bytes of it."""

    start: float
    recognizer: Recognizer
    audio: bytearray = field(default_factory=bytearray)
    read: int = 0
    utterances: list[Utterance] = field(default_factory=list[Utterance])
    under_way: str | None = None
    """What is under way reads so far; None when it must be read anew."""


class Ear:
    """Plays what arrives one after the other in real time, and reads it.

    Sound that arrives while something plays waits for its turn; `clear` drops what has not sounded
    yet; what sounded before `since` was not heard. Times are seconds on any one clock. Raises
    ValueError for an encoding it cannot read.
    """

    def __init__(self, *, sample_rate: int, encoding: str = "linear16", since: float = 0.0) -> None:
        if encoding not in _WIDTH:
            raise ValueError(
                f"a caller cannot listen to {encoding!r} audio; expected one of {', '.join(_WIDTH)}"
            )
        self._rate = sample_rate
        self._encoding = _SAME.get(encoding, encoding)
        self._bytes_per_second = sample_rate * _WIDTH[encoding]
        self._since = since
        self._past: list[Utterance] = []
        self._stretch: _Stretch | None = None
        self.end = 0.0
        """When all that arrived so far has sounded; 0 when nothing came."""

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """What was said, in order; the last may still grow, and may not have sounded yet."""
        return (*self._past, *(self._current() if self._stretch else ()))

    def sounding(self, at: float) -> float | None:
        """Since when, or from when on, there is sound at or after a time; None for silence."""
        if self._stretch is None or self.end <= at:
            return None
        return self._stretch.start

    def play(self, at: float, audio: bytes) -> None:
        """Take sound that arrived at a time."""
        if self._stretch is None or at > self.end:
            self._past = list(self.utterances)
            self._stretch = _Stretch(at, self._listen())
        stretch = self._stretch
        stretch.audio += audio
        if stretch.start < self._since:
            self._miss(stretch)
        self.end = _moment(stretch.start + len(stretch.audio) / self._bytes_per_second)

    def clear(self, at: float) -> None:
        """Drop what has not sounded at that time; what is in the middle of sounding is cut."""
        if self._stretch is None or at >= self.end:
            return
        self._past = list(self.heard_by(at))
        self._stretch = None
        self.end = max((utterance.end for utterance in self._past), default=0.0)

    def heard_by(self, at: float) -> tuple[Utterance, ...]:
        """What has sounded by a time; what was in the middle of sounding is cut."""
        whole = [utterance for utterance in self.utterances if utterance.end <= at]
        return (*whole, *self._cut(at))

    def _current(self) -> Iterator[Utterance]:
        """The utterances of the present stretch, the one under way included."""
        stretch = self._stretch
        assert stretch is not None
        self._read(stretch)
        yield from stretch.utterances
        if stretch.under_way is None:
            stretch.under_way = stretch.recognizer.heard
        if text := stretch.under_way:
            ended = [utterance.end for utterance in stretch.utterances]
            yield Utterance(text, ended[-1] if ended else stretch.start, self.end)

    def _read(self, stretch: _Stretch) -> None:
        """Listen to what came since: nothing is read before somebody asks, then all at once."""
        new = bytes(stretch.audio[stretch.read :])
        if not new:
            return
        stretch.read += len(new)
        stretch.under_way = None
        for event in stretch.recognizer.feed(new):
            if isinstance(event, Final):
                stretch.utterances.append(self._placed(event, stretch.start))

    def _cut(self, at: float) -> Iterator[Utterance]:
        """The part heard of an utterance that sounds at that time."""
        stretch = self._stretch
        if stretch is None or not stretch.start < at < self.end:
            return
        start = max((u.end for u in self._current() if u.end <= at), default=stretch.start)
        first, last = (self._offset(time - stretch.start) for time in (start, at))
        heard = bytes(stretch.audio[first:last])
        text = recognize(heard, sample_rate=self._rate, encoding=self._encoding)
        if text:
            yield Utterance(text, start, at, cut=True)

    def _miss(self, stretch: _Stretch) -> None:
        """Lose what sounded before anybody was there."""
        missed = min(self._offset(self._since - stretch.start), len(stretch.audio))
        del stretch.audio[:missed]
        stretch.start = _moment(stretch.start + missed / self._bytes_per_second)

    def _offset(self, seconds: float) -> int:
        """The byte at which that much has sounded, on a whole sample."""
        return round(seconds * self._rate) * (self._bytes_per_second // self._rate)

    def _listen(self) -> Recognizer:
        return Recognizer(sample_rate=self._rate, encoding=self._encoding)

    def _placed(self, event: Final, zero: float) -> Utterance:
        first, last = event.words[0].start, event.words[-1].end
        start, end = _moment(zero + first / self._rate), _moment(zero + last / self._rate)
        return Utterance(event.text, start, end)


def _moment(seconds: float) -> float:
    """A time as the journal gives it, so that waiting until it ends at it."""
    return round(seconds, 6)

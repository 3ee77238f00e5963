"""The tracker: which sightings are speech, and what they say, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

from sayna_testing.speech.alphabet import END, START
from sayna_testing.speech.events import Final, Heard, Interim, Word
from sayna_testing.speech.pace import TICK, TICKS_PER_SYMBOL, WORD_TICKS
from sayna_testing.speech.utterance import Span, Utterance

if TYPE_CHECKING:
    from sayna_testing.speech.ear import Sighting

SURE = 0.8  # the share of the band's power from which a code word needs no second one beside it
FAIR = 0.36  # the share that a first one has at least, and the spread it has at most
FAIR_SPREAD = 0.2
NEAR = round(0.25 / TICK)  # ticks within which a second one makes a weaker one sure
OVERLAP = WORD_TICKS - TICKS_PER_SYMBOL  # ticks: two sightings no further apart cannot both be real
SILENCE = round(0.8 / TICK)  # ticks without a code word that end an utterance
HUSH = round(0.2 / TICK)  # the same after an end mark


def sample_at(tick: int, rate: int) -> int:
    """The sample at which a tick starts."""
    return (11 * rate * tick + 8000) // 16000


class Tracker:
    """Takes sightings in order of time and yields what was heard."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._best: Sighting | None = None
        self._hint: Sighting | None = None  # what may be the first of an utterance
        self._utterance: Utterance | None = None

    @property
    def text(self) -> str:
        """What has been heard of the utterance under way, up to the last sighting."""
        ahead = deepcopy(self)
        for _ in ahead._settle():
            pass
        return ahead._utterance.text if ahead._utterance else ""

    def see(self, sighting: Sighting) -> Iterator[Heard]:
        """Take one sighting; of two that overlap the clearer one counts."""
        best = self._best
        if best is not None and sighting.tick > best.tick + OVERLAP:
            yield from self._settle()
            best = None
        if best is None or sighting.share > best.share:
            self._best = sighting

    def reach(self, tick: int) -> Iterator[Heard]:
        """No sighting before `tick` is still to come."""
        if self._best is not None and tick > self._best.tick + OVERLAP:
            yield from self._settle()
        if self._best is None:
            yield from self._time_out(tick)

    def finish(self) -> Iterator[Heard]:
        """Nothing more comes."""
        yield from self._settle()
        yield from self._close()

    def _settle(self) -> Iterator[Heard]:
        sighting, self._best = self._best, None
        if sighting is not None:
            yield from self._time_out(sighting.tick)
            yield from self._take(sighting)

    def _take(self, sighting: Sighting) -> Iterator[Heard]:
        if self._utterance:
            if sighting.tick + TICKS_PER_SYMBOL >= self._utterance.end:
                yield from self._add(sighting)
            return
        hint, self._hint = self._hint, sighting
        if hint and _confirms(sighting, hint):
            yield from self._add(hint)
        elif sighting.share < SURE:
            return
        self._hint = None
        yield from self._add(sighting)

    def _add(self, sighting: Sighting) -> Iterator[Heard]:
        code, parity = divmod(sighting.word, 2)
        if code == START:
            yield from self._close()
            self._utterance = Utterance(sighting.tick + WORD_TICKS)
            return
        speech = self._utterance
        if speech is None:
            speech = self._utterance = Utterance(None)
            speech.parity = parity
        if parity != speech.parity:
            speech.lose()
        speech.parity = 1 - parity
        if code == END:
            speech.finish(sighting.tick)
        elif speech.add(code, sighting.tick):
            yield Interim(speech.text.rstrip(), self._words(speech.words))

    def _time_out(self, tick: int) -> Iterator[Heard]:
        speech = self._utterance
        if speech and tick > speech.end + (HUSH if speech.complete else SILENCE):
            yield from self._close()

    def _close(self) -> Iterator[Heard]:
        speech, self._utterance = self._utterance, None
        if speech and speech.letters:
            yield Final(speech.text, self._words(speech.all_words()))

    def _words(self, spans: list[Span]) -> tuple[Word, ...]:
        return tuple(
            Word(text, sample_at(start, self._rate), sample_at(end, self._rate))
            for text, start, end in spans
        )


def _confirms(second: Sighting, first: Sighting) -> bool:
    fair = second.share >= FAIR and second.spread <= FAIR_SPREAD
    return fair and second.tick <= first.tick + NEAR and second.word % 2 != first.word % 2

"""The tracker: which sightings are speech, and what they say, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

from sayna_testing.speech.alphabet import END, START
from sayna_testing.speech.events import Final, Heard, Interim
from sayna_testing.speech.pace import BURST_TICKS, TICK, TICKS_PER_SYMBOL
from sayna_testing.speech.utterance import Utterance

if TYPE_CHECKING:
    from sayna_testing.speech.ear import Sighting

SURE = 0.8  # the share from which a first codeword needs no others beside it
ENOUGH = 3  # codewords in a row that make each other sure
FAIR = 0.33  # the share that the last of them has at least …
FAIR_SPREAD = 0.2  # … and the spread it has at most
HINTS = 8  # how many are remembered while none is fair
NEAR = round(0.25 / TICK)  # ticks from one to the next at most
OVERLAP = BURST_TICKS - TICKS_PER_SYMBOL  # two sightings no further apart cannot both be real
RIVAL = 0.8  # the part of the other's share from which a sighting may be the true one
SILENCE = round(0.8 / TICK)  # ticks without a codeword that end an utterance
HUSH = round(0.2 / TICK)  # the same after an end mark


class Tracker:
    """Takes sightings in order of time and yields what was heard.

    The codewords of an utterance are even and odd by turns, so a missing one is noticed.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._best: Sighting | None = None  # until no clearer one can overlap it
        self._hints: list[Sighting] = []  # what may be the first of an utterance
        self._utterance: Utterance | None = None
        self._parity = 0  # of the next codeword

    @property
    def text(self) -> str:
        """What has been heard of the utterance under way, up to the last sighting."""
        ahead = deepcopy(self)
        for _ in ahead._settle():
            pass
        return ahead._utterance.text if ahead._utterance else ""

    def see(self, sighting: Sighting) -> Iterator[Heard]:
        """Take one sighting; of two that overlap one counts."""
        yield from self._settle_before(sighting.tick)
        if self._best is None or self._prefers(sighting, self._best):
            self._best = sighting

    def reach(self, tick: int) -> Iterator[Heard]:
        """No sighting before `tick` is still to come."""
        yield from self._settle_before(tick)
        if self._best is None:
            yield from self._time_out(tick)

    def finish(self) -> Iterator[Heard]:
        """Nothing more comes."""
        yield from self._settle()
        yield from self._close()
        self._hints = []

    def _prefers(self, later: Sighting, earlier: Sighting) -> bool:
        """Whether the later of two overlapping sightings counts.

        Fast speech may show a false codeword half-way between two true ones, as clear as they are.
        It follows a true one, unless what was before it was cut off.
        """
        if later.tick <= earlier.tick + TICKS_PER_SYMBOL:  # the same one, nearer or further
            return later.share > earlier.share
        follows = self._hints and _follows(earlier, self._hints)
        if self._utterance or follows or earlier.codeword // 2 == START:
            return RIVAL * later.share > earlier.share
        return later.share > RIVAL * earlier.share

    def _settle_before(self, tick: int) -> Iterator[Heard]:
        if self._best is not None and tick > self._best.tick + OVERLAP:
            yield from self._settle()

    def _settle(self) -> Iterator[Heard]:
        sighting, self._best = self._best, None
        if sighting is not None:
            yield from self._time_out(sighting.tick)
            yield from self._take(sighting)

    def _take(self, sighting: Sighting) -> Iterator[Heard]:
        if self._utterance is None:
            before = self._hints[-HINTS:] if _follows(sighting, self._hints) else []
            self._hints = [*before, sighting]
            if not _convinces(self._hints):
                return
            known, self._hints = self._hints, []
        else:
            known = [sighting]
        for each in known:
            yield from self._add(each)

    def _add(self, sighting: Sighting) -> Iterator[Heard]:
        code, parity = divmod(sighting.codeword, 2)
        end = sighting.tick + BURST_TICKS
        if self._utterance and (code == START or self._utterance.complete):
            yield from self._close()
        if code == START:
            self._utterance = Utterance(end, self._rate, cut=False)
        elif self._utterance is None:
            self._utterance = Utterance(sighting.tick, self._rate, cut=True)
        elif parity != self._parity:
            self._utterance.lose()
        self._parity = 1 - parity
        if code == END:
            self._utterance.finish(sighting.tick)
        elif code != START and self._utterance.add(code, sighting.tick):
            yield Interim(self._utterance.text.rstrip(), tuple(self._utterance.words))

    def _time_out(self, tick: int) -> Iterator[Heard]:
        speech = self._utterance
        if speech and tick > speech.end + (HUSH if speech.complete else SILENCE):
            yield from self._close()

    def _close(self) -> Iterator[Heard]:
        speech, self._utterance = self._utterance, None
        if speech and speech.text:
            yield Final(speech.text, speech.all_words())


def _convinces(hints: list[Sighting]) -> bool:
    last = hints[-1]
    fair = last.share >= FAIR and last.spread <= FAIR_SPREAD
    return last.share >= SURE or (fair and len(hints) >= ENOUGH)


def _follows(sighting: Sighting, before: list[Sighting]) -> bool:
    """Whether it comes soon enough after the last of those before, and odd after even."""
    return all(
        sighting.tick <= last.tick + NEAR and sighting.codeword % 2 != last.codeword % 2
        for last in before[-1:]
    )

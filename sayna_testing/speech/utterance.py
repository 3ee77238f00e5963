"""One utterance: code words in order of time become characters, and those become words."""

from sayna_testing.speech.alphabet import LOST, Speller
from sayna_testing.speech.pace import WORD_TICKS

Span = tuple[str, int, int]  # text, first tick, last tick


class Utterance:
    """What was heard since `opened`, the tick where a start mark ended (None: without one)."""

    def __init__(self, opened: int | None) -> None:
        self.letters: list[str] = []
        self.words: list[Span] = []  # complete ones
        self.end = opened or 0
        self.complete = False  # an end mark was heard
        self.parity = 1  # of the next code word; the start mark's is 0
        self._slot: int | None = None if opened is not None else 0
        self._speller = Speller()
        self._partial: list[Span] = []  # letters of the word under way
        self._begun: int | None = None  # where a character of several codes began

    @property
    def text(self) -> str:
        """Every whole character so far."""
        return "".join(self.letters)

    def add(self, code: int, tick: int) -> bool:
        """Take a code that sounded from `tick` on; True when it completed a word."""
        start = self._slot_start(tick)
        self._begun = start if self._begun is None else self._begun
        self.end = tick + WORD_TICKS
        completed = [self._letter(letter) for letter in self._speller.spell(code)]
        return any(completed)

    def finish(self, tick: int) -> None:
        """Take the end mark that sounded from `tick` on."""
        for letter in self._speller.broken():
            self._letter(letter)
        self.end = tick + WORD_TICKS
        self.complete = True

    def lose(self) -> None:
        """Note that codes were sounded here which could not be read."""
        for letter in list(self._speller.broken()) or [LOST]:
            self._letter(letter)

    def all_words(self) -> list[Span]:
        """The complete words and the one under way."""
        return [*self.words, *self._word()]

    def _letter(self, letter: str) -> bool:
        self.letters.append(letter)
        start = self.end if self._begun is None else self._begun
        self._begun = None
        if not letter.isspace():
            self._partial.append((letter, start, self.end))
            return False
        done = self._word()
        self.words += done
        self._partial = []
        return bool(done)

    def _word(self) -> list[Span]:
        if not self._partial:
            return []
        text = "".join(letter for letter, _, _ in self._partial)
        return [(text, self._partial[0][1], self._partial[-1][2])]

    def _slot_start(self, tick: int) -> int:
        """Where the slot of the code at `tick` began: at the last one's end, pauses apart."""
        end = tick + WORD_TICKS
        length = end - self.end
        if self._slot is None:  # the first after a start mark
            self._slot = length
        elif self._slot == 0:  # came in half-way
            self._slot = WORD_TICKS
            return tick
        elif length > 2 * self._slot:
            return end - self._slot
        else:
            self._slot = min(self._slot, length) if self._slot > WORD_TICKS else length
        return self.end

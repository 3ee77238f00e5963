"""One utterance: codes in order of time become characters, and those become words."""

from sayna_testing.speech.alphabet import LOST, Speller
from sayna_testing.speech.events import Word
from sayna_testing.speech.pace import BURST_TICKS, sample_at


class Utterance:
    """What was heard from tick `start` on, where a start mark ended or, if `cut`, a code began."""

    def __init__(self, start: int, rate: int, *, cut: bool) -> None:
        self.words: list[Word] = []  # complete ones
        self.end = start  # of the last code
        self.complete = False  # an end mark was heard
        self._rate = rate
        self._cut = cut
        self._slot = 0  # ticks of the shortest slot, 0 before the first
        self._speller = Speller()
        self._letters: list[str] = []
        self._letter_start = start
        self._word: list[str] = []
        self._word_start = start
        self._word_end = start

    @property
    def text(self) -> str:
        """Every whole character so far."""
        return "".join(self._letters)

    def add(self, code: int, tick: int) -> bool:
        """Take a code that sounded from `tick` on; True when it completed a word."""
        start = self._slot_start(tick)
        if not self._speller.owed:
            self._letter_start = start
        self.end = tick + BURST_TICKS
        before = len(self.words)
        for letter in self._speller.spell(code):
            self._append(letter)
        return len(self.words) > before

    def finish(self, tick: int) -> None:
        """Take the end mark that sounded from `tick` on."""
        self.end = tick + BURST_TICKS
        self.complete = True

    def lose(self) -> None:
        """Note that there were codes here which could not be read."""
        self._speller.owed = 0
        self._append(LOST)

    def all_words(self) -> tuple[Word, ...]:
        """The complete words and the one under way."""
        return (*self.words, *self._open_word())

    def _append(self, letter: str) -> None:
        self._letters.append(letter)
        if letter.isspace():
            self.words += self._open_word()
            self._word = []
            return
        if not self._word:
            self._word_start = self._letter_start
        self._word.append(letter)
        self._word_end = self.end

    def _open_word(self) -> list[Word]:
        if not self._word:
            return []
        start, end = (sample_at(tick, self._rate) for tick in (self._word_start, self._word_end))
        return [Word("".join(self._word), start, end)]

    def _slot_start(self, tick: int) -> int:
        """Where the slot that ends with the code at `tick` began: where the last ended, or later.

        A slot that lasts more than twice the shortest follows a pause.
        """
        length = tick + BURST_TICKS - self.end
        if self._slot and length > 2 * self._slot:
            return tick + BURST_TICKS - self._slot
        if not self._cut:
            self._slot = min(self._slot or length, length)
        self._cut = False
        return self.end

"""The alphabet: text as a sequence of codes, and codes back as text.

A code is what one sounded slot carries. Most living alphabets take one slot a character; every
other code point takes two or three, a lead and its tails, drawn from sets of their own so that a
listener who comes in half-way cannot mistake a tail for a character.
"""

from collections.abc import Iterator

LOST = "\N{REPLACEMENT CHARACTER}"


def _span(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


_LETTERS = "".join(
    (
        "\t\n\r",
        _span(0x20, 0x7E),
        _span(0xA0, 0x17F),  # Latin
        _span(0x370, 0x45F),  # Greek and Cyrillic
        "Ґґ–—‘’“”•…€₹",
        _span(0x5D0, 0x5EA),  # Hebrew
        _span(0x620, 0x6CC),  # Arabic
        _span(0x900, 0x97F),  # Devanagari
        _span(0x1EA0, 0x1EF9),  # Vietnamese
    )
)
_CODE_OF = {letter: code for code, letter in enumerate(_LETTERS)}

_TAILS = 512
_PAIR_LEADS = 256  # a lead and one tail: planes 0 and 1
_TRIPLE_LEADS = 5  # a lead and two tails: everything above

_FIRST_TAIL = len(_LETTERS)
_FIRST_PAIR = _FIRST_TAIL + _TAILS
_FIRST_TRIPLE = _FIRST_PAIR + _PAIR_LEADS
START = _FIRST_TRIPLE + _TRIPLE_LEADS
END = START + 1
SIZE = END + 1


def codes_of(letter: str) -> tuple[int, ...]:
    """The one to three codes of one character."""
    if letter in _CODE_OF:
        return (_CODE_OF[letter],)
    point = ord(letter)
    high, low = divmod(point, _TAILS)
    if high < _PAIR_LEADS:
        return (_FIRST_PAIR + high, _FIRST_TAIL + low)
    lead, middle = divmod(high, _TAILS)
    return (_FIRST_TRIPLE + lead, _FIRST_TAIL + middle, _FIRST_TAIL + low)


class Speller:
    """Turns codes into characters as they come; never guesses one with a part missing."""

    def __init__(self) -> None:
        self._point = 0
        self._owed = 0

    def spell(self, code: int) -> Iterator[str]:
        """Yield the characters that `code` completes (LOST for one that was broken off)."""
        if _FIRST_TAIL <= code < _FIRST_PAIR:
            yield from self._tail(code - _FIRST_TAIL)
            return
        yield from self.broken()
        if code < _FIRST_TAIL:
            yield _LETTERS[code]
        elif code < _FIRST_TRIPLE:
            self._point, self._owed = code - _FIRST_PAIR, 1
        elif code < START:
            self._point, self._owed = code - _FIRST_TRIPLE, 2

    def _tail(self, value: int) -> Iterator[str]:
        if self._owed:
            self._point, self._owed = self._point * _TAILS + value, self._owed - 1
            if not self._owed:
                yield chr(self._point) if self._point <= 0x10FFFF else LOST

    def broken(self) -> Iterator[str]:
        """Give up a character under way."""
        if self._owed:
            self._owed = 0
            yield LOST

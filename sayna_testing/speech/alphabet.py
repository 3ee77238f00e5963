"""The alphabet: text as a sequence of codes, and codes back as text.

A code is what one sounded slot carries. Most living alphabets take one slot a character; every
other code point takes two or three, a lead and its tails, drawn from sets of their own so that a
listener who comes in half-way cannot mistake a tail for a character.
"""

import sys

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
        self.owed = 0  # tails still to come
        self._point = 0

    def spell(self, code: int) -> str:
        """The character that `code` completes, "" for none yet, LOST for one that is no more."""
        if _FIRST_TAIL <= code < _FIRST_PAIR:
            return self._tail(code - _FIRST_TAIL)
        broken = LOST if self.owed else ""
        self.owed = 0
        if code < _FIRST_TAIL:
            return broken + _LETTERS[code]
        if code < _FIRST_TRIPLE:
            self._point, self.owed = code - _FIRST_PAIR, 1
        else:
            self._point, self.owed = code - _FIRST_TRIPLE, 2
        return broken

    def _tail(self, value: int) -> str:
        if not self.owed:
            return ""
        self._point, self.owed = self._point * _TAILS + value, self.owed - 1
        if self.owed:
            return ""
        return chr(self._point) if self._point <= sys.maxunicode else LOST

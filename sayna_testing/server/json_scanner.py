"""A JSON reader that fails where serde_json 1.0.145 does, in the same words, at the first fault."""

import re
from collections.abc import Callable
from typing import NoReturn, TypeAlias, TypeVar

Content: TypeAlias = (
    "bool | int | float | str | list[Content] | tuple[tuple[str, Content], ...] | None"
)
"""A value that was read but not yet given a type; an object keeps every pair, repeated keys too."""

Value = TypeVar("Value")

DEEPEST = 127
LONGEST_INTEGER = len(str(-(2**63)))
SPACE = re.compile(rb"[ \t\n\r]*")
TEXT = re.compile(rb'[^"\\\x00-\x1f]*')
NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE]([+-]?)([0-9]+))?")
EXPONENT = re.compile(rb"[eE][+-]?")
HEX = re.compile(rb"[0-9a-fA-F]{4}")
WORDS: dict[int, tuple[bytes, bool | None]] = {
    ord("n"): (b"null", None),
    ord("t"): (b"true", True),
    ord("f"): (b"false", False),
}
ESCAPES = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True))
NUMERIC = frozenset(b"-0123456789")
DIGITS = frozenset(b"0123456789")
QUOTE, COMMA, COLON, BACKSLASH = b'",:\\'
OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = b"[]{}"
END = -1


class Fault(Exception):  # noqa: N818  # a finding that travels up, not an error anyone sees
    """The first thing wrong with a text: `data` if its JSON is fine but not its shape.

    `at` counts the bytes consumed and is None for as long as the fault has no place of its own;
    `path` is the way to the failing value, innermost step first, None for a key not read.
    """

    def __init__(self, message: str, at: int | None = None, *, data: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.data = data
        self.path: list[str | int | None] = []


class Scanner:
    """One pass over a text; what it has consumed is what a fault's position counts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self._room = DEEPEST

    def peek(self) -> int:
        """Skip white space and look at the next byte, END behind the last."""
        data = self.data
        self.at = at = SPACE.match(data, self.at).end()  # type: ignore[union-attr]  # matches nothing, too
        return data[at] if at < len(data) else END

    def fail(self, message: str) -> NoReturn:
        """Refuse what was consumed last."""
        raise Fault(message, self.at)

    def fail_next(self, message: str) -> NoReturn:
        """Refuse the byte to come."""
        raise Fault(message, min(len(self.data), self.at + 1))

    def finish(self) -> None:
        """Refuse anything but white space behind the value."""
        if self.peek() != END:
            self.fail_next("trailing characters")

    def enclosed(self, visit: Callable[[], Value]) -> Value:
        """Read a list or object with `visit`; a fault does not keep the bracket from closing."""
        close = self._close_list if self.data[self.at] == OPEN_LIST else self._close_object
        if not self._room:
            self.fail_next("recursion limit exceeded")
        self._room -= 1
        self.at += 1
        try:
            value = visit()
        except Fault as fault:
            if fault.at is None:
                fault.at = self._after(close)
            raise
        close()
        self._room += 1
        return value

    def _after(self, close: Callable[[], None]) -> int:
        try:
            close()
        except Fault:
            return self.at
        return self.at

    def _close_list(self) -> None:
        byte = self.peek()
        if byte == END:
            self.fail_next("EOF while parsing a list")
        if byte == COMMA:
            self.at += 1
            self.fail_next("trailing comma" if self.peek() == CLOSE_LIST else "trailing characters")
        if byte != CLOSE_LIST:
            self.fail_next("trailing characters")
        self.at += 1

    def _close_object(self) -> None:
        byte = self.peek()
        if byte != CLOSE_OBJECT:
            self.fail_next("EOF while parsing an object" if byte == END else "trailing characters")
        self.at += 1

    def has_element(self, *, first: bool) -> bool:
        """Step over the comma before the next element of a list."""
        byte = self.peek()
        if byte == END:
            self.fail_next("EOF while parsing a list")
        if byte == CLOSE_LIST:
            return False
        if first:
            return True
        if byte != COMMA:
            self.fail_next("expected `,` or `]`")
        self.at += 1
        byte = self.peek()
        if byte == END:
            self.fail_next("EOF while parsing a value")
        if byte == CLOSE_LIST:
            self.fail_next("trailing comma")
        return True

    def key(self, *, first: bool) -> str | None:
        """Read the next key of an object, None at its end; a fault gets a nameless path step."""
        try:
            return self.string() if self._has_key(first=first) else None
        except Fault as fault:
            fault.path.append(None)
            raise

    def _has_key(self, *, first: bool) -> bool:
        byte = self.peek()
        if byte == END:
            self.fail_next("EOF while parsing an object")
        if byte == CLOSE_OBJECT:
            return False
        if not first:
            if byte != COMMA:
                self.fail_next("expected `,` or `}`")
            self.at += 1
            byte = self.peek()
            if byte == END:
                self.fail_next("EOF while parsing a value")
            if byte == CLOSE_OBJECT:
                self.fail_next("trailing comma")
        if byte != QUOTE:
            self.fail_next("key must be a string")
        return True

    def value_of(self, key: str, read: Callable[[], Value]) -> Value:
        """Read the colon and value behind `key`; a fault in the value has the key in its path."""
        self.colon()
        try:
            return read()
        except Fault as fault:
            fault.path.append(key)
            raise

    def element(self, index: int, read: Callable[[], Value]) -> Value:
        """Read an element of a list; a fault in it has the index in its path."""
        try:
            return read()
        except Fault as fault:
            fault.path.append(index)
            raise

    def colon(self) -> None:
        """Step over the colon behind a key."""
        byte = self.peek()
        if byte != COLON:
            self.fail_next("EOF while parsing an object" if byte == END else "expected `:`")
        self.at += 1

    def scalar(self) -> bool | int | float | str | None:
        """Read a value that is neither list nor object."""
        byte = self.peek()
        if byte == QUOTE:
            return self.string()
        if byte in WORDS:
            return self.word(byte)
        if byte in NUMERIC:
            return self.number()
        return self.fail_next("EOF while parsing a value" if byte == END else "expected value")

    def word(self, first: int) -> bool | None:
        """Read `null`, `true` or `false` by its first byte."""
        word, value = WORDS[first]
        for expected in word:
            if self.at == len(self.data):
                self.fail("EOF while parsing a value")
            self.at += 1
            if self.data[self.at - 1] != expected:
                self.fail("expected ident")
        return value

    def number(self) -> int | float:
        """Read a number: an int if it is one of 64 bits, else a float."""
        match = NUMBER.match(self.data, self.at)
        if match is None:
            self.at += 1
            self._refuse_digit("EOF while parsing a value")
        self.at = match.end()
        self._check_number_end(match, "EOF while parsing a value")
        sign, fraction, exponent = match[1], match[3], match[5]
        if fraction is None and exponent is None and len(match[0]) <= LONGEST_INTEGER:
            whole = int(match[0])
            if -(2**63) <= whole < 2**64 and (whole or not sign):
                return whole
        value = float(match[0])
        if value in (float("inf"), float("-inf")):
            self.at -= _behind_overflow(exponent or b"")
            self.fail("number out of range")
        return value

    def _refuse_digit(self, at_end: str) -> NoReturn:
        if self.at == len(self.data):
            self.fail(at_end)
        self.at += 1
        self.fail("invalid number")

    def _check_number_end(self, match: "re.Match[bytes]", at_end: str) -> None:
        """Refuse a number that goes on behind its longest valid beginning."""
        byte = self.data[self.at] if self.at < len(self.data) else END
        plain = match[5] is None
        if match[2] == b"0" and match[3] is None and plain and byte in DIGITS:
            self.fail_next("invalid number")
        if byte == ord(".") and match[3] is None and plain:
            self.at += 1
            self.fail_next("invalid number" if self.at < len(self.data) else at_end)
        if plain and (exponent := EXPONENT.match(self.data, self.at)):
            self.at = exponent.end()
            self._refuse_digit(at_end)

    def string(self) -> str:
        """Read a string from its opening quote on."""
        pieces: list[bytes] = []
        start = self.at + 1
        while True:
            at = self.at = TEXT.match(self.data, start).end()  # type: ignore[union-attr]  # matches nothing, too
            pieces.append(self.data[start:at])
            if at == len(self.data):
                self.fail("EOF while parsing a string")
            self.at += 1
            byte = self.data[at]
            if byte == QUOTE:
                break
            if byte != BACKSLASH:
                self.fail(r"control character (\u0000-\u001F) found while parsing a string")
            pieces.append(self._escape())
            start = self.at
        try:
            return b"".join(pieces).decode()
        except UnicodeDecodeError:
            self.fail("invalid unicode code point")

    def _escape(self) -> bytes:
        byte = self._next_of_string()
        if byte in ESCAPES:
            return bytes((ESCAPES[byte],))
        if byte != ord("u"):
            self.fail("invalid escape")
        unit = self._hex()
        if 0xDC00 <= unit <= 0xDFFF:
            self.fail("lone leading surrogate in hex escape")
        if 0xD800 <= unit <= 0xDBFF:
            unit = self._low_surrogate(unit)
        return chr(unit).encode()

    def _low_surrogate(self, high: int) -> int:
        for expected in b"\\u":
            if self._next_of_string() != expected:
                self.fail("unexpected end of hex escape")
        low = self._hex()
        if not 0xDC00 <= low <= 0xDFFF:
            self.fail("lone leading surrogate in hex escape")
        return 0x10000 + (high - 0xD800 << 10) + low - 0xDC00

    def _next_of_string(self) -> int:
        if self.at == len(self.data):
            self.fail("EOF while parsing a string")
        self.at += 1
        return self.data[self.at - 1]

    def _hex(self) -> int:
        digits = self.data[self.at : self.at + 4]
        self.at += len(digits)
        if len(digits) < 4:
            self.fail("EOF while parsing a string")
        if not HEX.fullmatch(digits):
            self.fail("invalid escape")
        return int(digits, 16)

    def content(self) -> Content:
        """Read any value, keeping every pair of its objects."""
        byte = self.peek()
        if byte == OPEN_LIST:
            return self.enclosed(self._elements)
        if byte == OPEN_OBJECT:
            return self.enclosed(self._pairs)
        return self.scalar()

    def _elements(self) -> Content:
        elements: list[Content] = []
        while self.has_element(first=not elements):
            elements.append(self.element(len(elements), self.content))
        return elements

    def _pairs(self) -> Content:
        pairs: list[tuple[str, Content]] = []
        while (key := self.key(first=not pairs)) is not None:
            pairs.append((key, self.value_of(key, self.content)))
        return tuple(pairs)

    def skip(self) -> None:
        """Step over a value nobody asked for, of any depth, bytes and size of numbers."""
        enclosing: list[int] = []
        while True:
            opened = self._skip_one()
            if opened:
                enclosing.append(opened)
            if not self._skip_closings(enclosing, after_value=not opened):
                return
            if enclosing[-1] == OPEN_OBJECT:
                self._skip_key()

    def _skip_one(self) -> int:
        byte = self.peek()
        if byte in (OPEN_LIST, OPEN_OBJECT):
            self.at += 1
            return byte
        if byte == QUOTE:
            self.at += 1
            self._skip_string()
        elif byte in NUMERIC:
            self._skip_number()
        else:
            self.scalar()
        return 0

    def _skip_closings(self, enclosing: list[int], *, after_value: bool) -> bool:
        """Step over closing brackets up to the next comma or value; False at the very end."""
        while enclosing:
            inside = enclosing[-1]
            byte = self.peek()
            if byte == COMMA and after_value:
                self.at += 1
                return True
            if byte == END:
                self.fail_next(
                    f"EOF while parsing {'a list' if inside == OPEN_LIST else 'an object'}"
                )
            if byte != (CLOSE_LIST if inside == OPEN_LIST else CLOSE_OBJECT):
                if after_value:
                    self.fail_next(f"expected `,` or `{']' if inside == OPEN_LIST else '}'}`")
                return True
            self.at += 1
            enclosing.pop()
            after_value = True
        return False

    def _skip_key(self) -> None:
        byte = self.peek()
        if byte != QUOTE:
            self.fail_next("EOF while parsing an object" if byte == END else "key must be a string")
        self.at += 1
        self._skip_string()
        self.colon()

    def _skip_string(self) -> None:
        while True:
            self.at = TEXT.match(self.data, self.at).end()  # type: ignore[union-attr]  # matches nothing, too
            if self.at == len(self.data):
                self.fail("EOF while parsing a string")
            byte = self.data[self.at]
            if byte not in (QUOTE, BACKSLASH):
                self.fail(r"control character (\u0000-\u001F) found while parsing a string")
            self.at += 1
            if byte == QUOTE:
                return
            byte = self._next_of_string()
            if byte == ord("u"):
                self._hex()
            elif byte not in ESCAPES:
                self.fail("invalid escape")

    def _skip_number(self) -> None:
        match = NUMBER.match(self.data, self.at)
        if match is None:
            self.at += 1
            self._refuse_digit("invalid number")
        self.at = match.end()
        self._check_number_end(match, "invalid number")


def _behind_overflow(exponent: bytes) -> int:
    """Count the digits behind the one that takes the exponent beyond 32 bits: there it stops."""
    for read in range(1, len(exponent)):
        if int(exponent[:read]) > 2**31 - 1:
            return len(exponent) - read
    return 0

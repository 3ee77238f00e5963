"""JSON read into declared shapes as serde does, with its texts (rest.md 6.3; websocket.md 4.1).

A REST body is typed while it is scanned, so the first fault decides and has a path and a position.
A frame tagged by `type` is scanned whole, then typed: faults in its fields have neither.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from sayna_testing.server.json_scanner import (
    OPEN_LIST,
    OPEN_OBJECT,
    Content,
    Fault,
    Scanner,
)
from sayna_testing.server.rust_text import float_text

TAG = "type"


class SerdeError(ValueError):
    """A text that does not read as the declared shape: `syntax` if it is no JSON, else `data`."""

    def __init__(self, category: Literal["syntax", "data"], detail: str) -> None:
        super().__init__(detail)
        self.category: Literal["syntax", "data"] = category
        self.detail = detail


class Kind(Protocol):
    """A type of value: read from text as it comes, or taken from content that was read before."""

    @property
    def expected(self) -> str:
        """What serde says it expected."""
        ...

    def read(self, scan: Scanner) -> Any:
        """Read a value; raises Fault."""
        ...

    def take(self, content: Content) -> Any:
        """Take a value; raises Fault without a place."""
        ...


@dataclass(frozen=True)
class Scalar:
    """A kind that is neither list nor object; its test returns the value or raises Fault."""

    expected: str
    check: Callable[[str, Content], Any]

    def read(self, scan: Scanner) -> Any:
        """Read the value; one of another type is consumed and named."""
        _refuse_brackets(scan, self.expected)
        content = scan.scalar()
        try:
            return self.check(self.expected, content)
        except Fault as fault:
            fault.at = scan.at
            raise

    def take(self, content: Content) -> Any:
        """Check the value."""
        return self.check(self.expected, content)


def _string(expected: str, content: Content) -> str:
    if isinstance(content, str):
        return content
    raise _wrong_type(content, expected)


def _bool(expected: str, content: Content) -> bool:
    if isinstance(content, bool):
        return content
    raise _wrong_type(content, expected)


def _float(expected: str, content: Content) -> float:
    if isinstance(content, int | float) and not isinstance(content, bool):
        return float(content)
    raise _wrong_type(content, expected)


def _unsigned(bits: int) -> Scalar:
    def check(expected: str, content: Content) -> int:
        if not isinstance(content, int) or isinstance(content, bool):
            raise _wrong_type(content, expected)
        if not 0 <= content < 2**bits:
            raise Fault(f"invalid value: integer `{content}`, expected {expected}", data=True)
        return content

    return Scalar(f"u{bits}", check)


String = Scalar("a string", _string)
Bool = Scalar("a boolean", _bool)
F32 = Scalar("f32", _float)
U16, U32, U64 = _unsigned(16), _unsigned(32), _unsigned(64)


@dataclass(frozen=True)
class AnyJson:
    """Any JSON value; of repeated keys the last one wins."""

    expected: str = "any valid JSON value"

    def read(self, scan: Scanner) -> Any:
        """Read the value."""
        return plain(scan.content())

    def take(self, content: Content) -> Any:
        """Take the value as it is."""
        return plain(content)


Json = AnyJson()


@dataclass(frozen=True)
class JsonObject:
    """An object of any keys; `expected` is what serde calls it. A list does not stand in for it."""

    expected: str

    def read(self, scan: Scanner) -> Any:
        """Read the object."""
        if scan.peek() != OPEN_OBJECT:
            _refuse_brackets(scan, self.expected)
            raise _placed(_wrong_type(scan.scalar(), self.expected), scan)
        return plain(scan.content())

    def take(self, content: Content) -> Any:
        """Take the object."""
        if not isinstance(content, tuple):
            raise _wrong_type(content, self.expected)
        return plain(content)


@dataclass(frozen=True)
class List:
    """A list of one kind of items."""

    item: Kind
    expected: str = "a sequence"

    def read(self, scan: Scanner) -> Any:
        """Read the items one by one."""
        if scan.peek() != OPEN_LIST:
            _refuse_brackets(scan, self.expected)
            raise _placed(_wrong_type(scan.scalar(), self.expected), scan)
        return scan.enclosed(partial(self._items, scan))

    def _items(self, scan: Scanner) -> list[Any]:
        items: list[Any] = []
        while scan.has_element(first=not items):
            items.append(scan.element(len(items), partial(self.item.read, scan)))
        return items

    def take(self, content: Content) -> Any:
        """Take the items one by one."""
        if not isinstance(content, list):
            raise _wrong_type(content, self.expected)
        return [self.item.take(item) for item in content]


@dataclass(frozen=True)
class Field:
    """A field: required, or with a default; `nullable` then takes null as absent."""

    name: str
    kind: Kind
    required: bool = False
    nullable: bool = True
    default: Any = None

    @property
    def optional(self) -> bool:
        """Whether null stands for the default."""
        return self.nullable and not self.required

    def read(self, scan: Scanner) -> Any:
        """Read the value, or null for the default."""
        if self.optional and (byte := scan.peek()) == ord("n"):
            scan.word(byte)
            return self.default
        return self.kind.read(scan)

    def take(self, content: Content) -> Any:
        """Take the value, or null for the default."""
        return self.default if self.optional and content is None else self.kind.take(content)


@dataclass(frozen=True)
class Struct:
    """An object of declared fields; others are ignored, and a list gives them by position."""

    name: str
    fields: tuple[Field, ...]

    @property
    def expected(self) -> str:
        """What serde calls it."""
        return f"struct {self.name}"

    def read(self, scan: Scanner) -> dict[str, Any]:
        """Read the fields as they come."""
        byte = scan.peek()
        if byte == OPEN_OBJECT:
            return scan.enclosed(partial(self._read_pairs, scan))
        if byte == OPEN_LIST:
            return scan.enclosed(partial(self._read_row, scan))
        raise _placed(_wrong_type(scan.scalar(), self.expected), scan)

    def _read_pairs(self, scan: Scanner) -> dict[str, Any]:
        fields = {field.name: field for field in self.fields}
        found: dict[str, Any] = {}
        first = True
        while (key := scan.key(first=first)) is not None:
            first = False
            if key in found:
                raise _duplicate(key)
            if field := fields.get(key):
                found[key] = scan.value_of(key, partial(field.read, scan))
            else:
                scan.value_of(key, scan.skip)
        return self._complete(found)

    def _read_row(self, scan: Scanner) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for index, field in enumerate(self.fields):
            if not scan.has_element(first=not index):
                return self._short(found, index)
            found[field.name] = scan.element(index, partial(field.read, scan))
        return found

    def take(self, content: Content) -> dict[str, Any]:
        """Take the fields as they came."""
        return self.take_as(content, self.expected)

    def take_as(self, content: Content, expected: str) -> dict[str, Any]:
        """Take the fields of a struct that goes by another name."""
        if isinstance(content, tuple):
            return self._take_pairs(content)
        if isinstance(content, list):
            return self._take_row(content, expected)
        raise _wrong_type(content, expected)

    def _take_pairs(self, pairs: tuple[tuple[str, Content], ...]) -> dict[str, Any]:
        fields = {field.name: field for field in self.fields}
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise _duplicate(key)
            if key in fields:
                found[key] = fields[key].take(value)
        return self._complete(found)

    def _take_row(self, row: list[Content], expected: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field, value in zip(self.fields, row, strict=False):
            found[field.name] = field.take(value)
        count = len(self.fields)
        if len(row) < count:
            return self._short(found, len(row), expected)
        if len(row) > count:
            elements = f"{count} element{'s' * (count != 1)}"
            raise Fault(f"invalid length {len(row)}, expected {elements} in sequence", data=True)
        return found

    def _short(self, found: dict[str, Any], count: int, expected: str = "") -> dict[str, Any]:
        """Complete a list that ended early, if only fields with a default of their own are left."""
        for index, field in enumerate(self.fields[count:], count):
            if field.required or field.nullable:
                elements = f"{len(self.fields)} element{'s' * (len(self.fields) != 1)}"
                raise Fault(
                    f"invalid length {index}, expected {expected or self.expected} with {elements}",
                    data=True,
                )
            found[field.name] = field.default
        return found

    def _complete(self, found: dict[str, Any]) -> dict[str, Any]:
        """Put the fields in declared order, with defaults for the absent ones."""
        for field in self.fields:
            if field.required and field.name not in found:
                raise _missing(field.name)
        return {field.name: found.get(field.name, field.default) for field in self.fields}


def read_body(body: bytes, struct: Struct) -> dict[str, Any]:
    """Read a REST body; raises SerdeError with path and position (rest.md 6.2, 6.3)."""
    scan = Scanner(body)
    try:
        found = struct.read(scan)
        scan.finish()
    except Fault as fault:
        raise _error(fault, scan, with_path=True) from None
    return found


def read_json(text: bytes) -> Any:
    """Read any JSON; raises SerdeError with a position and no path (rest.md 9)."""
    scan = Scanner(text)
    try:
        content = scan.content()
        scan.finish()
    except Fault as fault:
        raise _error(fault, scan, with_path=False) from None
    return plain(content)


def read_tagged(text: str, enum: str, variants: Mapping[str, Struct]) -> tuple[str, dict[str, Any]]:
    """Read a frame whose `type` says which struct it is; raises SerdeError (websocket.md 4.1).

    Returns the tag and the fields, defaults filled in.
    """
    scan = Scanner(text.encode())
    try:
        tag, content = _tagged(scan, f"internally tagged enum {enum}", variants)
        struct = variants[tag]
        fields = struct.take_as(content, f"struct variant {enum}::{struct.name}")
        scan.finish()
    except Fault as fault:
        raise _error(fault, scan, with_path=False) from None
    return tag, fields


def _tagged(scan: Scanner, expected: str, variants: Mapping[str, Struct]) -> tuple[str, Content]:
    byte = scan.peek()
    if byte == OPEN_OBJECT:
        return scan.enclosed(partial(_tagged_pairs, scan, variants))
    if byte == OPEN_LIST:
        return scan.enclosed(partial(_tagged_row, scan, variants))
    raise _placed(_wrong_type(scan.scalar(), expected), scan)


def _tagged_pairs(scan: Scanner, variants: Mapping[str, Struct]) -> tuple[str, Content]:
    tag: str | None = None
    pairs: list[tuple[str, Content]] = []
    first = True
    while (key := scan.key(first=first)) is not None:
        first = False
        if key != TAG:
            pairs.append((key, scan.value_of(key, scan.content)))
            continue
        if tag is not None:
            raise _duplicate(TAG)
        scan.colon()
        tag = _tag(scan, variants)
    if tag is None:
        raise _missing(TAG)
    return tag, tuple(pairs)


def _tagged_row(scan: Scanner, variants: Mapping[str, Struct]) -> tuple[str, Content]:
    if not scan.has_element(first=True):
        raise _missing(TAG)
    tag = _tag(scan, variants)
    row: list[Content] = []
    while scan.has_element(first=False):
        row.append(scan.content())
    return tag, row


def _tag(scan: Scanner, variants: Mapping[str, Struct]) -> str:
    tag: str = Scalar("variant identifier", _string).read(scan)
    if tag not in variants:
        known = ", ".join(f"`{name}`" for name in variants)
        raise Fault(f"unknown variant `{tag}`, expected one of {known}", scan.at, data=True)
    return tag


def plain(content: Content) -> Any:
    """Make ordinary dicts and lists of content; the last of repeated keys wins."""
    if isinstance(content, tuple):
        return {key: plain(value) for key, value in content}
    if isinstance(content, list):
        return [plain(value) for value in content]
    return content


def _refuse_brackets(scan: Scanner, expected: str) -> None:
    """A list or object in place of something else is named unread."""
    if (byte := scan.peek()) in (OPEN_LIST, OPEN_OBJECT):
        raise _placed(_wrong_type([] if byte == OPEN_LIST else (), expected), scan)


def _placed(fault: Fault, scan: Scanner) -> Fault:
    fault.at = scan.at
    return fault


def _wrong_type(content: Content, expected: str) -> Fault:
    return Fault(f"invalid type: {_named(content)}, expected {expected}", data=True)


def _missing(field: str) -> Fault:
    return Fault(f"missing field `{field}`", data=True)


def _duplicate(field: str) -> Fault:
    return Fault(f"duplicate field `{field}`", data=True)


def _named(content: Content) -> str:
    match content:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(content).lower()}`"
        case int():
            return f"integer `{content}`"
        case float():
            return f"floating point `{float_text(content)}`"
        case str():
            return f"string {quoted(content)}"
        case _:
            return "sequence" if isinstance(content, list) else "map"


QUOTED = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\0": r"\0"}


def quoted(text: str) -> str:
    """Quote as Rust's Debug does: what cannot be printed alone becomes its number."""
    return f'"{"".join(QUOTED.get(char) or _visible(char) for char in text)}"'


def _visible(char: str) -> str:
    if char.isascii() and char.isprintable():
        return char
    combining = unicodedata.category(char) in ("Mn", "Me")
    return f"\\u{{{ord(char):x}}}" if combining or not char.isprintable() else char


def _error(fault: Fault, scan: Scanner, *, with_path: bool) -> SerdeError:
    detail = fault.message
    if with_path and any(step is not None for step in fault.path):
        detail = f"{_path(fault.path)}: {detail}"
    if fault.at is not None:
        read = scan.data[: fault.at]
        line, column = read.count(b"\n") + 1, len(read) - (read.rfind(b"\n") + 1)
        detail = f"{detail} at line {line} column {column}"
    return SerdeError("data" if fault.data else "syntax", detail)


def _path(innermost_first: list[str | int | None]) -> str:
    path = ""
    for step in reversed(innermost_first):
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f"{'.' * bool(path)}{'?' if step is None else step}"
    return path

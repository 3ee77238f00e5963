"""Compares what came with a golden text: exactly, but for the placeholders it holds."""

import json
import re
import time
from typing import Any

from tests.server.golden.cases import placeholders

_PATTERNS = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "ms": r"\d{13}",
    "seconds": r"\d{10}",
    "token": r"[\w-]+\.[\w-]+\.[\w-]+",
    "id": r"[A-Za-z0-9]{8,}",
    "signature": r"[0-9a-f]{64}",
    "client text": r'(?:[^"\\]|\\.)+',
}
_LATE = 60.0


def same(expected: str, came: str, since: float) -> dict[str, list[str]]:
    """What stood where the placeholders are; raises AssertionError when anything else differs.

    `since` is the Unix time the case began: times in the answer are not before it.
    """
    pattern, kinds = _pattern(expected)
    found = re.fullmatch(pattern, came, re.DOTALL)
    if found is None:
        raise AssertionError(f"\nexpected: {_shown(expected)}\n    came: {_shown(came)}")
    values: dict[str, list[str]] = {}
    for kind, value in zip(kinds, found.groups(), strict=True):
        values.setdefault(kind, []).append(value)
    _check_times(values, since)
    return values


def in_order(text: str, any_order: tuple[str, ...]) -> str:
    """The JSON text with the maps and lists at these paths sorted; `.` is the whole text."""
    if not any_order:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if _dump(value) != text:
        return text
    for path in any_order:
        value = _sorted_at(value, [key for key in path.split(".") if key])
    return _dump(value)


def _pattern(expected: str) -> tuple[str, list[str]]:
    parts: list[str] = []
    kinds: list[str] = []
    position = 0
    for start, end in placeholders(expected):
        inside = expected[start + 2 : end - 2]
        name = re.split(r"[+ ]", inside, maxsplit=1)[0] if inside not in _PATTERNS else inside
        parts += [re.escape(expected[position:start]), f"({_PATTERNS[name]})"]
        kinds.append(inside)
        position = end
    return "".join(parts) + re.escape(expected[position:]), kinds


def _check_times(values: dict[str, list[str]], since: float) -> None:
    begun: set[int] = set()
    for kind, found in values.items():
        name, _, offset = kind.partition("+")
        for value in found:
            if name == "ms":
                assert since - 1 <= int(value) / 1000 <= time.time() + 1, f"not now: {value} ms"
            elif name == "seconds":
                at = int(value) - int(offset or 0)
                assert since - 1 <= at <= time.time() + 1, f"not now: {value} s"
                begun.add(at)
    if any("+" in kind for kind in values):
        assert len(begun) == 1, f"times that do not agree: {values}"


def _sorted_at(value: Any, path: list[str]) -> Any:
    match value:
        case dict() if path:
            return {
                key: _sorted_at(inner, path[1:]) if key == path[0] else inner
                for key, inner in value.items()
            }
        case list() if path:
            return [
                _sorted_at(inner, path[1:]) if str(index) == path[0] else inner
                for index, inner in enumerate(value)
            ]
        case dict():
            return dict(sorted(value.items()))
        case list():
            return sorted(value, key=_dump)
        case _:
            return value


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shown(text: str) -> str:
    return text if len(text) < 2000 else f"{text[:2000]}... ({len(text)} characters)"

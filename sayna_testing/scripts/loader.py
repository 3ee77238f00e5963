"""Reading scripts: TOML in, a `Script` out, or a refusal that names file, line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sayna_testing.scripts.model import Script

Location = tuple[str | int, ...]


class ScriptError(ValueError):
    """A script that cannot be used: `source`, `line` and `key` say where, the message what."""

    def __init__(self, message: str, *, source: str, line: int, key: str = "") -> None:
        self.source = source
        self.line = line
        self.key = key
        super().__init__(f"{source}:{line}: {f'{key}: ' if key else ''}{message}")


def load(path: str | Path) -> Script:
    """The script in a file; raises ScriptError when it is none, OSError when it cannot be read."""
    data = Path(path).read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScriptError("expected UTF-8 text", source=str(path), line=line) from None
    return loads(text, source=str(path))


def loads(text: str, *, source: str = "<script>") -> Script:
    """The script in a TOML text; `source` is the name that errors give. Raises ScriptError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else max(text.count("\n"), 1)
        raise ScriptError(f"not TOML: {error}", source=source, line=line) from None
    try:
        script = Script.model_validate(data)
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
        location = tuple(first["loc"])
        raise ScriptError(
            _explain(dict(first)),
            source=source,
            line=_line_of(location, text),
            key=_dotted(location),
        ) from None
    name = Path(source).name
    lines = [_line_of(("turn", number), text) for number in range(len(script.turns))]
    return script.located(tuple(f"{name}:{line}" for line in lines))


def _explain(error: dict[str, Any]) -> str:
    """What was expected and what came, in the words of someone who writes scripts."""
    kind, location = error["type"], error["loc"]
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        hint = _close_to(str(location[-1]), known)
        return f"unknown key{hint} (expected one of: {', '.join(known)})"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        hint = _close_to(str(error["input"]), choices)
        return f"got {_shown(error['input'])}{hint} (expected one of: {', '.join(choices)})"
    if kind == "missing":
        return "this key is required"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    message = str(error["msg"])
    return f"{message[0].lower()}{message[1:]}, got {_shown(error['input'])}"


def _close_to(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def _known_keys(parent: Location) -> list[str]:
    """The keys allowed in the part of a script that a location names."""
    part: type[BaseModel] = Script
    for name in (name for name in parent if isinstance(name, str)):
        part = _part_of(part, name) or part
    return [field.alias or key for key, field in part.model_fields.items()]


def _part_of(part: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model under a key: its own type, or the one inside a tuple or an optional."""
    fields = {field.alias or key: field for key, field in part.model_fields.items()}
    field = fields.get(name)
    return _model_in(field.annotation) if field is not None else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(location: Location) -> str:
    text = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in location)
    return text.removeprefix(".")


def _line_of(location: Location, text: str) -> int:
    """The line that holds a key, else the one of the nearest thing around it."""
    lines = dict(_key_lines(text))
    for length in range(len(location), 0, -1):
        if location[:length] in lines:
            return lines[location[:length]]
    return 1


_TABLE = re.compile(r"\s*(\[\[?)\s*([\w.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w\-]+|\"[^\"]*\")\s*(?:\.\s*[\w\-]+\s*)*=")


def _key_lines(text: str) -> Iterator[tuple[Location, int]]:
    """Where tables and keys start; what a key holds inline counts as the key's line."""
    table: Location = ()
    counts: dict[Location, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = tuple(part.strip(' "') for part in header[2].split("."))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            elif len(table) > 1 and table[:1] in counts:
                table = (table[0], counts[table[:1]], *table[1:])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, key[1].strip('"')), number

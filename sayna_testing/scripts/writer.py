"""A script back as TOML, and the JSON Schema that editors check scripts against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from sayna_testing.scripts.model import Script

SCHEMA_ID = "sayna-script.schema.json"


def dumps(script: Script) -> str:
    """The script as TOML; reading that gives an equal script. What is a default is left out."""
    data = script.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    turns = data.pop("turn")
    blocks = [_table(data)]
    blocks += [f"[[turn]]\n{_table(turn)}" for turn in turns]
    return "\n".join(blocks)


def schema() -> dict[str, Any]:
    """The JSON Schema of a script file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **Script.model_json_schema(by_alias=True),
    }


def _table(values: dict[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in values.items())


def _value(value: Any) -> str:
    match value:
        case dict():
            pairs = cast("dict[str, Any]", value)
            inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in pairs.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(_value, cast('Iterable[Any]', value)))}]"
        case str():
            return _string(value)
        case _:
            return json.dumps(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _string(key)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

"""Server settings from a TOML or JSON file."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from sayna_testing.cli.ending import Unusable
from sayna_testing.server.settings import LiveKitSettings, ServerSettings, SipHook, SipSettings

_PARTS: dict[str, Any] = {
    "": ServerSettings,
    "livekit": LiveKitSettings,
    "sip": SipSettings,
    "sip.hooks": SipHook,
}
_PARTS_OFF = frozenset(
    field.name for field in dataclasses.fields(ServerSettings) if "None" in str(field.type)
)
_READERS: dict[str, Any] = {".toml": tomllib.loads, ".json": json.loads}


def load_settings(path: Path) -> ServerSettings:
    """The settings in a file: the fields of ServerSettings, `false` for a part switched off.

    Raises Unusable, which names the file and the key.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise Unusable(f"{path}: expected a .toml or .json file")
    try:
        content = reader(path.read_text("utf-8"))
        _check_keys(content, "")
        return TypeAdapter(ServerSettings).validate_python(_switched_off(content))
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise Unusable(f"{path}: {f'{key}: ' if key else ''}{problem}") from None
    except ValueError as error:
        raise Unusable(f"{path}: {error}") from None


def _check_keys(content: Any, place: str) -> None:
    """Refuse unknown keys: a misspelt knob that does nothing is worse than an error."""
    if not isinstance(content, dict):
        return  # the model says what it expected here
    known = [field.name for field in dataclasses.fields(_PARTS[place])]
    for key, value in cast("dict[str, Any]", content).items():
        inner = f"{place}.{key}".strip(".")
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            raise ValueError(f"unknown key {inner}{hint} (known: {', '.join(known)})")
        if inner in _PARTS and value is not False:
            for part in value if inner == "sip.hooks" else [value]:
                _check_keys(part, inner)


def _switched_off(content: Any) -> Any:
    """TOML has no null: `livekit = false` and the like are what the settings call None."""
    if not isinstance(content, dict):
        return content
    given = cast("dict[str, Any]", content)
    return {
        key: None if value is False and key in _PARTS_OFF else value for key, value in given.items()
    }

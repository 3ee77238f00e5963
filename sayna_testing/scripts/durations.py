"""Durations as people write them: `"400ms"`, `"1.5s"`, `"2m"`, or a number of seconds."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60)}
_PATTERN = r"^(\d+(?:\.\d+)?)\s*(ms|s|m)$"


def seconds(value: Any) -> Any:
    """The seconds of a written duration; anything but text is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(_PATTERN, value.strip())
    if found is None:
        raise ValueError(f'expected a duration such as "400ms", "1.5s" or "2m", got "{value}"')
    return float(Fraction(found[1]) * _UNITS[found[2]])


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    Field(ge=0, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "number", "minimum": 0}],
            "description": 'A duration: "400ms", "1.5s", "2m", or a number of seconds.',
        }
    ),
]

"""Argument checks: what was expected, and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import ValidationError

from sayna_client.codec import explain
from sayna_client.errors import SaynaValidationError

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


def build(model: type[M], **fields: Any) -> M:
    """Make a model from arguments.

    Raises:
        SaynaValidationError: an argument does not fit; its value is not quoted.
    """
    try:
        return model(**fields)
    except ValidationError as error:
        failure = SaynaValidationError(explain(error))
    raise failure


def not_blank(**arguments: object) -> None:
    """Check that each argument is a str with something in it, in order."""
    for name, value in arguments.items():
        if not isinstance(value, str) or not value.strip():
            got = "" if value is None or isinstance(value, str) else f", got {type(value).__name__}"
            raise SaynaValidationError(f"{name} must be a non-empty string{got}")


def audio_bytes(audio: object) -> bytes:
    """Return audio as bytes; it must be bytes-like and not empty."""
    if not isinstance(audio, bytes | bytearray | memoryview):
        raise SaynaValidationError(f"audio_data must be bytes, got {type(audio).__name__}")
    data = bytes(cast("bytes", audio))
    if not data:
        raise SaynaValidationError("audio_data must not be empty")
    return data


def instance(name: str, value: object, expected: type) -> None:
    """Check that an optional argument is of a class."""
    if value is not None:
        instance_of(name, value, expected)


def instance_of(name: str, value: object, *expected: type) -> None:
    """Check that an argument is of one of some classes."""
    if not isinstance(value, expected):
        article = "an" if expected[0].__name__.startswith(("STT", "SSL")) else "a"
        classes = " or ".join(one.__name__ for one in expected)
        raise SaynaValidationError(
            f"{name} must be {article} {classes} instance, got {type(value).__name__}"
        )


def not_empty(**arguments: object) -> None:
    """Check that each argument is a list with something in it."""
    for name, value in arguments.items():
        if not isinstance(value, list | tuple) or not value:
            got = "an empty one" if isinstance(value, list | tuple) else type(value).__name__
            raise SaynaValidationError(f"{name} must be a non-empty list, got {got}")


def real_bool(name: str, value: object) -> bool:
    """Return a bool; 0, 1 and "true" are none."""
    if not isinstance(value, bool):
        raise SaynaValidationError(f"{name} must be a boolean, got {type(value).__name__}")
    return value


def above_zero(name: str, value: object) -> float:
    """Return a number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise SaynaValidationError(f"{name} must be a number above 0, got {value!r}")
    return value


def not_negative(name: str, value: object) -> float:
    """Return a number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise SaynaValidationError(f"{name} must be a number, 0 or more, got {value!r}")
    return value


def whole_number(name: str, value: object) -> int:
    """Return an int, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SaynaValidationError(f"{name} must be an int, 0 or more, got {value!r}")
    return value


def can_be_called(name: str, value: object) -> None:
    """Check that an argument can be called."""
    if not callable(value):
        raise SaynaValidationError(f"{name} must be callable, got {type(value).__name__}")

"""Frames in and out: text to values, values to text; no IO."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from sayna_client import types
from sayna_client.answers import RawResponse
from sayna_client.errors import SaynaServerError, SaynaValidationError

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")

KNOWN_TYPES = frozenset(
    {
        "error",
        "message",
        "participant_connected",
        "participant_disconnected",
        "ready",
        "sip_transfer_error",
        "stt_result",
        "track_subscribed",
        "tts_playback_complete",
        "vad_event",
    }
)
# A float that is not a number leaves the server as null; its transcript is still worth having.
_STAND_INS: dict[str, dict[str, object]] = {"stt_result": {"confidence": 0.0}}


class Private(str):
    """Text that may hold a provider's key: tools that print the arguments of calls see its size."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} characters>"


class MalformedFrameError(ValueError):
    """A text frame that is no message; the text says why and never quotes the frame."""


@cache
def _frames() -> TypeAdapter[types.ServerMessage]:
    """Build the reader of all known frames: 5 ms, spent by who receives one."""
    return TypeAdapter(types.KnownMessage)


def decode(text: str | bytes) -> types.ServerMessage:
    """Read one text frame; an unknown type becomes an `UnknownMessage`.

    Raises:
        MalformedFrameError: no JSON, no object, no type, or fields that do not fit.
    """
    try:
        message: types.ServerMessage = _frames().validator.validate_json(text)
    except ValidationError:
        return _decode_carefully(text)
    return message


def _decode_carefully(text: str | bytes) -> types.ServerMessage:
    try:
        data: object = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedFrameError("Ignoring websocket frame that is not JSON") from None
    if not isinstance(data, dict):
        raise MalformedFrameError("Ignoring websocket frame that is not a JSON object")
    fields = cast("dict[str, Any]", data)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise MalformedFrameError("Ignoring websocket frame without a type")
    if kind not in KNOWN_TYPES:
        return types.UnknownMessage(type=kind, data=fields)
    stand_ins = {k: v for k, v in _STAND_INS.get(kind, {}).items() if fields.get(k) is None}
    try:
        return _frames().validate_python({**fields, **stand_ins})
    except ValidationError as error:
        raise MalformedFrameError(
            f"Ignoring malformed websocket message type {kind}: {explain(error)}"
        ) from None


def encode(message: types.Command) -> str:
    """Write one command as compact JSON without fields that are None; those in `debug` stay."""
    return to_json(message, exclude_none=True)


def to_json(message: BaseModel, *, exclude_none: bool) -> str:
    """Write a model as compact JSON.

    Raises:
        SaynaValidationError: a value inside it has no JSON form.
    """
    try:
        return Private(message.model_dump_json(exclude_none=exclude_none))
    except (ValueError, TypeError) as error:
        failure = SaynaValidationError(f"{type(message).__name__} has no JSON form: {error}")
    raise failure


def json_text(value: Any) -> str:
    """Write any value as JSON.

    Raises:
        SaynaValidationError: it has no JSON form.
    """
    try:
        return Private(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        failure = SaynaValidationError(f"{type(value).__name__} has no JSON form: {error}")
    raise failure


def read_answer(model: type[M], response: RawResponse, what: str) -> M:
    """Read the JSON body of a REST answer.

    Raises:
        SaynaServerError: it is no JSON, or does not fit.
    """
    data = response.json()
    try:
        return model.model_validate(data)
    except ValidationError as error:
        unfit = SaynaServerError(
            f"The answer to {what} is no {model.__name__}: {explain(error)}",
            response.status,
            what.partition(" ")[2],
            body=response.text,
            headers=response.headers,
        )
    raise unfit


def explain(error: ValidationError) -> str:
    """Say where a value did not fit and why, without quoting it."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'value'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )

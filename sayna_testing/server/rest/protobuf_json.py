"""Protobuf's JSON read the way LiveKit's types do: LiveKit webhook events (rest.md 15.1)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from sayna_testing.server.json_scanner import Content, Fault, Scanner

Kind = Callable[[Content], Any]

_INTEGER = re.compile(r"-?[0-9]+")


class NotAnEventError(ValueError):
    """The body is no webhook event."""


def read_event(body: bytes) -> dict[str, Any]:
    """Read a `WebhookEvent`: snake_case keys, only those that came; raises NotAnEventError."""
    scan = Scanner(body)
    try:
        content = scan.content()
        scan.finish()
    except Fault as error:
        raise NotAnEventError(error.message) from error
    return cast("dict[str, Any]", EVENT(content))


def _message(fields: Mapping[str, Kind]) -> Kind:
    """An object whose keys are in camelCase or snake_case; unknown ones are ignored."""
    names = {name: name for name in fields} | {_camel(name): name for name in fields}

    def read(content: Content) -> dict[str, Any]:
        if not isinstance(content, tuple):
            raise NotAnEventError("expected an object")
        found: dict[str, Any] = {}
        for key, value in content:
            name = names.get(key)
            if name is None:
                continue
            if name in found:
                raise NotAnEventError(f"duplicate field {name}")
            found[name] = fields[name](value)
        return found

    return read


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _nested(message: Kind) -> Kind:
    """A message inside a message, the only thing that may be null."""
    return lambda content: None if content is None else message(content)


def _string(content: Content) -> str:
    if not isinstance(content, str):
        raise NotAnEventError("expected a string")
    return content


def _bool(content: Content) -> bool:
    if not isinstance(content, bool):
        raise NotAnEventError("expected a boolean")
    return content


def _integer(lowest: int, highest: int) -> Kind:
    """A number, or one in a string."""

    def read(content: Content) -> int:
        number = content
        if isinstance(content, str) and _INTEGER.fullmatch(content):
            number = int(content)
        if not isinstance(number, int) or isinstance(number, bool):
            raise NotAnEventError("expected an integer")
        if not lowest <= number <= highest:
            raise NotAnEventError("integer out of range")
        return number

    return read


def _enum(*names: str) -> Kind:
    """A name or its number; the first name is number 0."""

    def read(content: Content) -> str:
        if isinstance(content, str) and content in names:
            return content
        if isinstance(content, int) and not isinstance(content, bool) and 0 <= content < len(names):
            return names[content]
        raise NotAnEventError("unknown enum value")

    return read


def _list(item: Kind) -> Kind:
    def read(content: Content) -> list[Any]:
        if not isinstance(content, list):
            raise NotAnEventError("expected a list")
        return [item(element) for element in content]

    return read


def _string_map(content: Content) -> dict[str, str]:
    if not isinstance(content, tuple):
        raise NotAnEventError("expected an object")
    return {key: _string(value) for key, value in content}


_INT32 = _integer(-(2**31), 2**31 - 1)
_UINT32 = _integer(0, 2**32 - 1)
_INT64 = _integer(-(2**63), 2**63 - 1)
_ANY_MESSAGE = _nested(_message({}))
_VERSION = _nested(_message({"unix_micro": _INT64, "ticks": _INT32}))
_ENCRYPTION = _enum("NONE", "GCM", "CUSTOM")
_SOURCE = _enum("UNKNOWN", "CAMERA", "MICROPHONE", "SCREEN_SHARE", "SCREEN_SHARE_AUDIO")
_CODEC = _message({"mime": _string, "fmtp_line": _string})

_ROOM = _message(
    {
        "sid": _string,
        "name": _string,
        "empty_timeout": _UINT32,
        "departure_timeout": _UINT32,
        "max_participants": _UINT32,
        "creation_time": _INT64,
        "creation_time_ms": _INT64,
        "turn_password": _string,
        "enabled_codecs": _list(_CODEC),
        "metadata": _string,
        "num_participants": _UINT32,
        "num_publishers": _UINT32,
        "active_recording": _bool,
        "version": _VERSION,
    }
)
_TRACK = _message(
    {
        "sid": _string,
        "type": _enum("AUDIO", "VIDEO", "DATA"),
        "name": _string,
        "muted": _bool,
        "width": _UINT32,
        "height": _UINT32,
        "simulcast": _bool,
        "disable_dtx": _bool,
        "source": _SOURCE,
        "layers": _list(_message({})),
        "mime_type": _string,
        "mid": _string,
        "codecs": _list(_message({})),
        "stereo": _bool,
        "disable_red": _bool,
        "encryption": _ENCRYPTION,
        "stream": _string,
        "version": _VERSION,
    }
)
_PARTICIPANT = _message(
    {
        "sid": _string,
        "identity": _string,
        "state": _enum("JOINING", "JOINED", "ACTIVE", "DISCONNECTED"),
        "tracks": _list(_TRACK),
        "metadata": _string,
        "joined_at": _INT64,
        "joined_at_ms": _INT64,
        "name": _string,
        "version": _UINT32,
        "permission": _ANY_MESSAGE,
        "region": _string,
        "is_publisher": _bool,
        "kind": _enum("STANDARD", "INGRESS", "EGRESS", "SIP", "AGENT"),
        "attributes": _string_map,
    }
)
EVENT = _message(
    {
        "event": _string,
        "room": _nested(_ROOM),
        "participant": _nested(_PARTICIPANT),
        "egress_info": _ANY_MESSAGE,
        "ingress_info": _ANY_MESSAGE,
        "track": _nested(_TRACK),
        "id": _string,
        "created_at": _INT64,
        "num_dropped": _INT32,
    }
)

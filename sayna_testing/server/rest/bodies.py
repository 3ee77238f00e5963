"""Request bodies: content type, size, JSON, in this order (rest.md 6.1, 6.2)."""

import re
from typing import Any

from sayna_testing.server.rest.context import Context, Refusal
from sayna_testing.server.rest.messages import Request, plain
from sayna_testing.server.serde import SerdeError, Struct, read_body

LIMIT = 2 * 2**20
_UNREAD = "Failed to buffer the request body"
TOO_LARGE = plain(413, f"{_UNREAD}: length limit exceeded")
BROKEN = plain(400, f"{_UNREAD}: error reading a body from connection")

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_JSON_TYPE = re.compile(
    rf"application/(?:json|{_TOKEN}\+json)(?:; *{_TOKEN}=(?:{_TOKEN}|\"[^\"\\]*\"))*(?:; *)?",
    re.IGNORECASE,
)
_WORDS = {
    "syntax": (400, "Failed to parse the request body as JSON"),
    "data": (422, "Failed to deserialize the JSON body into the target type"),
}


def read_json_body(context: Context, struct: Struct) -> dict[str, Any]:
    """Read the body as this struct; raises Refusal with the framework's answer."""
    request = context.request
    if not _JSON_TYPE.fullmatch(request.header("content-type") or ""):
        raise Refusal(plain(415, "Expected request with `Content-Type: application/json`"))
    check_size(request)
    try:
        return read_body(request.body, struct)
    except SerdeError as error:
        status, text = _WORDS[error.category]
        raise Refusal(plain(status, f"{text}: {error.detail}")) from error


def check_size(request: Request) -> None:
    """Refuse a body of more than 2 MiB, and one that cannot be read to its end."""
    if len(request.body) > LIMIT:
        raise Refusal(TOO_LARGE)
    if request.broken:
        raise Refusal(BROKEN)

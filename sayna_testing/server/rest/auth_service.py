"""Auth by JWT (rest.md 4.3): the request is described to a service, which says who is asking."""

import re
import time
from http import HTTPStatus
from typing import Any, cast

from sayna_testing.server.rest.context import Limits, Post, PostError, Refusal
from sayna_testing.server.rest.messages import Request, code_with_message
from sayna_testing.server.rest.tokens import KeyRefusedError, sign_with_pem
from sayna_testing.server.serde import SerdeError, read_json
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.text import trim

_LIFETIME = 300
_SHOWN = 500
_KEPT_TO_ITSELF = re.compile(
    r"authorization|cookie|host|x-real-ip|x-forwarded-.*|x-sayna-.*", re.IGNORECASE
)
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_OTHER_REASONS = {
    203: "Non Authoritative Information",
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}


async def ask_service(settings: ServerSettings, token: str, request: Request, post: Post) -> str:
    """Return the effective auth id the service names, "" when it names none; raises Refusal."""
    signed = _describe(settings, token, request)
    url = settings.auth_service_url or ""
    headers = (("content-type", "application/jwt"),)
    limits = Limits(settings.auth_timeout_seconds)
    try:
        status, body = await post(url, headers, signed.encode(), limits)
    except PostError as error:
        raise Refusal(
            code_with_message(503, "auth_service_unavailable", f"HTTP request error: {error}")
        ) from error
    if status == HTTPStatus.OK:
        return trim(_named(body))
    raise Refusal(_refusal(status, _shown(body)))


def _describe(settings: ServerSettings, token: str, request: Request) -> str:
    now = int(time.time())
    claims = {
        "sub": "sayna-auth",
        "iat": now,
        "exp": now + _LIFETIME,
        "auth_data": {
            "token": token,
            "request_body": _body(request),
            "request_headers": {
                name.lower(): value
                for name, value in request.headers
                if not _KEPT_TO_ITSELF.fullmatch(name) and _PRINTABLE.fullmatch(value)
            },
            "request_path": request.raw_path,
            "request_method": request.method,
        },
    }
    try:
        return sign_with_pem(claims, settings.auth_signing_key or "")
    except KeyRefusedError as error:
        text = "JWT signing error: Failed to encode JWT: InvalidKeyFormat"
        raise Refusal(code_with_message(500, "jwt_signing_error", text)) from error


def _body(request: Request) -> Any:
    try:
        return _sorted(read_json(request.body))
    except SerdeError:
        return {}


def _sorted(value: object) -> object:
    """Sort the keys of all objects by their bytes."""
    match value:
        case dict():
            pairs = cast("dict[str, object]", value)
            return {key: _sorted(pairs[key]) for key in sorted(pairs, key=str.encode)}
        case list():
            return [_sorted(item) for item in cast("list[object]", value)]
        case _:
            return value


def _named(body: bytes) -> str:
    try:
        answer = read_json(body)
    except SerdeError:
        return ""
    name = cast("dict[str, Any]", answer).get("id") if isinstance(answer, dict) else None
    return name if isinstance(name, str) else ""


def _refusal(status: int, body: str) -> Any:
    if status == HTTPStatus.UNAUTHORIZED:
        return code_with_message(401, "unauthorized", f"Unauthorized: {body}")
    text = f"Auth service error ({status} {_reason(status)}): {body}"
    ours = 401 if 400 <= status < 500 else 502
    return code_with_message(ours, "auth_service_error", text)


def _reason(status: int) -> str:
    if status in _OTHER_REASONS:
        return _OTHER_REASONS[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "<unknown status code>"


def _shown(body: bytes) -> str:
    if len(body) <= _SHOWN:
        return body.decode(errors="replace")
    return f"{body[:_SHOWN].decode(errors='replace')}... (truncated)"

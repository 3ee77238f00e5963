"""The auth layer (rest.md 4): who is asking, or why not."""

import hmac
import re
from urllib.parse import parse_qsl

from sayna_testing.server.rest.auth_service import ask_service
from sayna_testing.server.rest.context import Post, Refusal
from sayna_testing.server.rest.messages import Request, code_with_message
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.text import is_blank, trim

_BEARER = re.compile(r"Bearer ([\x20-\x7e\t]+)")


async def authenticate(settings: ServerSettings, request: Request, post: Post) -> str:
    """Return the effective auth id ("" is unscoped); raises Refusal (4.3)."""
    if not settings.auth_required:
        return ""
    token = _token(request)
    if settings.auth_api_secrets:
        return _check_secret(settings, token)
    return await ask_service(settings, token, request, post)


def _token(request: Request) -> str:
    """Find the token (4.2): a well-formed header, else the first `api_key` that is not blank."""
    header = request.header("authorization")
    if header is not None and (bearer := _BEARER.fullmatch(header)):
        return bearer[1]
    for key, value in parse_qsl(request.query, keep_blank_values=True):
        if key == "api_key" and not is_blank(value):
            return value
    if header is None:
        code = "missing_auth_header"
        text = "Missing authentication token (Authorization header or api_key query parameter)"
    else:
        code = "invalid_auth_header"
        text = (
            "Invalid Authorization header format (expected 'Bearer {token}')"
            " and missing api_key query parameter"
        )
    raise Refusal(code_with_message(401, code, text))


def _check_secret(settings: ServerSettings, token: str) -> str:
    for auth_id, secret in settings.auth_api_secrets.items():
        if hmac.compare_digest(secret.encode(), token.encode()):
            return trim(auth_id)
    raise Refusal(code_with_message(401, "unauthorized", "Unauthorized: Invalid API secret"))

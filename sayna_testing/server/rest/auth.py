"""The auth layer (rest.md 4): who is asking, or why not."""

import hmac
import re
from urllib.parse import parse_qsl

from sayna_testing.server.rest.context import Post
from sayna_testing.server.rest.messages import Request, Response, code_with_message
from sayna_testing.server.state import ServerState
from sayna_testing.server.text import is_blank, trim

_BEARER = re.compile(r"Bearer ([\x20-\x7e\t]+)")


async def authenticate(state: ServerState, request: Request, post: Post) -> Response | str:
    """Return the effective auth id ("" is unscoped), or the answer that refuses the request."""
    settings = state.settings
    if not settings.auth_required:
        return ""
    token = _token(request)
    if token is None:
        if request.header("authorization") is None:
            return code_with_message(
                401,
                "missing_auth_header",
                "Missing authentication token (Authorization header or api_key query parameter)",
            )
        return code_with_message(
            401,
            "invalid_auth_header",
            "Invalid Authorization header format (expected 'Bearer {token}')"
            " and missing api_key query parameter",
        )
    for auth_id, secret in settings.auth_api_secrets.items():
        if hmac.compare_digest(secret.encode(), token.encode()):
            return trim(auth_id)
    return code_with_message(401, "unauthorized", "Unauthorized: Invalid API secret")


def _token(request: Request) -> str | None:
    """Find the token (4.2): a well-formed header, else the first `api_key` that is not blank."""
    header = request.header("authorization")
    if header is not None and (bearer := _BEARER.fullmatch(header)):
        return bearer[1]
    fields = parse_qsl(request.query, keep_blank_values=True)
    return next((v for k, v in fields if k == "api_key" and not is_blank(v)), None)

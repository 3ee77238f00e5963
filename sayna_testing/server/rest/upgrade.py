"""`GET /ws` up to the upgrade (rest.md 16, websocket.md 1.1)."""

from sayna_testing.server.rest.messages import TEXT, Request, Response, Upgrade, plain

HEAD_ANSWER = Response(405, (("content-type", TEXT), ("content-length", "28")))
"""What HEAD `/ws` gets, whatever its headers: no `allow`, and a length without a body."""


def upgrade(request: Request, auth_id: str) -> Response | Upgrade:
    """Check the headers of an authorised `GET /ws` in the server's order."""
    connection = request.header("connection") or ""
    if "upgrade" not in connection.lower():
        return plain(400, "Connection header did not include 'upgrade'")
    if (request.header("upgrade") or "").lower() != "websocket":
        return plain(400, "`Upgrade` header did not include 'websocket'")
    key = request.header("sec-websocket-key")
    if key is None:
        return plain(400, "`Sec-WebSocket-Key` header missing")
    if request.header("sec-websocket-version") != "13":
        return plain(400, "`Sec-WebSocket-Version` header did not include '13'")
    if request.http_version < (1, 1):
        return plain(
            426, "WebSocket request couldn't be upgraded since no upgrade state was present"
        )
    return Upgrade(auth_id, key)

"""From a request to its handler: paths, methods, the auth layer, HEAD (rest.md 1, 4.1, 6.1)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from sayna_testing.server.rest.auth import authenticate
from sayna_testing.server.rest.context import Context, Post, Refusal
from sayna_testing.server.rest.messages import Request, Response, Upgrade, empty, json_response
from sayna_testing.server.rest.upgrade import HEAD_ANSWER, upgrade
from sayna_testing.server.state import ServerState

Handler = Callable[[Context], Awaitable[Response | Upgrade]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path and its handlers by method; a GET handler serves HEAD as well."""

    path: str
    handlers: Mapping[str, Handler]
    protected: bool = True

    @property
    def allow(self) -> tuple[str, str]:
        """The header of a 405."""
        methods = (m if m != "GET" else "GET,HEAD" for m in self.handlers)
        return ("allow", ",".join(methods))

    def handler(self, method: str) -> Handler | None:
        """The handler of a method."""
        return self.handlers.get("GET" if method == "HEAD" else method)


async def _health(context: Context) -> Response:
    return json_response({"status": "OK"})


async def _ws(context: Context) -> Response | Upgrade:
    if context.request.method == "HEAD":
        return HEAD_ANSWER
    return upgrade(context.request, context.auth_id)


ROUTES = (
    Route("/", {"GET": _health}, protected=False),
    Route("/ws", {"GET": _ws}),
)


async def answer(state: ServerState, request: Request, *, post: Post) -> Response | Upgrade:
    """Answer one request as the server does; `post` carries what the server sends elsewhere."""
    response = await _answer(state, request, post)
    if request.method == "HEAD" and isinstance(response, Response):
        return replace(response, body=b"")
    return response


async def _answer(state: ServerState, request: Request, post: Post) -> Response | Upgrade:
    route, params = _find(request.raw_path)
    handler = None if route is None else route.handler(request.method)
    auth_id = ""
    if route is None or route.protected:
        verdict = await authenticate(state, request, post)
        if isinstance(verdict, Response):
            if route is not None and handler is None:
                return replace(verdict, headers=(*verdict.headers, route.allow))
            return verdict
        auth_id = verdict
    if route is None:
        return Response(404) if request.method == "HEAD" else empty(404)
    if handler is None:
        return empty(405, route.allow)
    try:
        return await handler(Context(state, request, post, auth_id, params))
    except Refusal as refusal:
        return refusal.response


def _find(path: str) -> tuple[Route | None, dict[str, str]]:
    """Match a path as it came: exact segments, `{name}` takes one that is not empty."""
    segments = path.split("/")
    for route in ROUTES:
        params = _match(route.path.split("/"), segments)
        if params is not None:
            return route, params
    return None, {}


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    params: dict[str, str] = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith("{") and segment:
            params[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return params

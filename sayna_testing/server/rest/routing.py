"""From a request to its handler: paths, methods, the auth layer, HEAD (rest.md 1, 4.1, 6.1)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from sayna_testing.server.rest.auth import authenticate
from sayna_testing.server.rest.calls import start_call, transfer_call
from sayna_testing.server.rest.context import Context, Post, Refusal
from sayna_testing.server.rest.hooks import add_hooks, list_hooks, remove_hooks
from sayna_testing.server.rest.messages import Request, Response, Upgrade, empty, json_response
from sayna_testing.server.rest.participants import mute_participant, remove_participant
from sayna_testing.server.rest.recording import send_recording
from sayna_testing.server.rest.rooms import list_rooms, make_token, show_room
from sayna_testing.server.rest.speak import list_voices, speak
from sayna_testing.server.rest.upgrade import HEAD_ANSWER, upgrade
from sayna_testing.server.rest.webhook import receive_webhook
from sayna_testing.server.state import ServerState

Handler = Callable[[Context], Awaitable[Response | Upgrade]]


async def _health(context: Context) -> Response:
    return json_response({"status": "OK"})


async def _ws(context: Context) -> Response | Upgrade:
    if context.request.method == "HEAD":
        return HEAD_ANSWER
    return upgrade(context.request, context.auth_id)


async def _wrong_method(context: Context) -> Response:
    return empty(405)


async def _nowhere(context: Context) -> Response:
    return Response(404) if context.request.method == "HEAD" else empty(404)


@dataclass(frozen=True, slots=True)
class Route:
    """One path and its handlers by method; a GET handler serves HEAD as well."""

    path: str
    handlers: Mapping[str, Handler]
    protected: bool = True

    @property
    def allow(self) -> tuple[str, str]:
        """The header that goes with a wrong method."""
        return ("allow", ",".join(self.handlers).replace("GET", "GET,HEAD"))

    def handler(self, method: str) -> Handler | None:
        """The handler of a method."""
        return self.handlers.get("GET" if method == "HEAD" else method)


ROUTES = (
    Route("/", {"GET": _health}, protected=False),
    Route("/voices", {"GET": list_voices}),
    Route("/speak", {"POST": speak}),
    Route("/livekit/token", {"POST": make_token}),
    Route("/livekit/rooms", {"GET": list_rooms}),
    Route("/livekit/rooms/{room_name}", {"GET": show_room}),
    Route("/livekit/participant", {"DELETE": remove_participant}),
    Route("/livekit/participant/mute", {"POST": mute_participant}),
    Route("/livekit/webhook", {"POST": receive_webhook}, protected=False),
    Route("/recording/{stream_id}", {"GET": send_recording}),
    Route("/sip/hooks", {"GET": list_hooks, "POST": add_hooks, "DELETE": remove_hooks}),
    Route("/sip/call", {"POST": start_call}),
    Route("/sip/transfer", {"POST": transfer_call}),
    Route("/ws", {"GET": _ws}),
)
NOWHERE = Route("", {})
_LITERAL = {route.path: route for route in ROUTES if "{" not in route.path}
_PATTERNS = [(route.path.split("/"), route) for route in ROUTES if "{" in route.path]


async def answer(state: ServerState, request: Request, *, post: Post) -> Response | Upgrade:
    """Answer one request as the server does; `post` carries what the server sends elsewhere."""
    route, params = _find(request.raw_path)
    handler = route.handler(request.method)
    try:
        auth_id = await authenticate(state.settings, request, post) if route.protected else ""
        fallback = _nowhere if route is NOWHERE else _wrong_method
        response = await (handler or fallback)(Context(state, request, post, auth_id, params))
    except Refusal as refusal:
        response = refusal.response
    if isinstance(response, Upgrade):
        return response
    if handler is None and route is not NOWHERE:
        response = replace(response, headers=(*response.headers, route.allow))
    return replace(response, body=b"") if request.method == "HEAD" else response


def _find(path: str) -> tuple[Route, Mapping[str, str]]:
    """Match a path as it came: exact segments, `{name}` takes one that is not empty."""
    literal = _LITERAL.get(path)
    if literal is not None:
        return literal, {}
    segments = path.split("/")
    for pattern, route in _PATTERNS:
        params = _match(pattern, segments)
        if params is not None:
            return route, params
    return NOWHERE, {}


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

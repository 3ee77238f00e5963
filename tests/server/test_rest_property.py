"""Whatever is asked, the answer has one of the specified shapes and the state stays sound."""

import asyncio
import json
import re
import socket
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.rest import Request, Response, Upgrade
from sayna_testing.server.rest.routing import ROUTES
from sayna_testing.server.settings import ServerSettings
from tests.server.asking import TENANTS, Rest

SETTINGS = (
    ServerSettings(),
    TENANTS,
    ServerSettings(livekit=None, sip=None, recording=False, cache_path=None, deepgram_api_key=None),
)
NAMES = st.sampled_from(["r", "guest", "a b", "", " ", "ü", "..", "+1", "tel:2", "x\n"]) | st.text()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES
FIELDS = [
    "text",
    "tts_config",
    "provider",
    "model",
    "auth",
    "audio_format",
    "sample_rate",
    "pronunciations",
    "room_name",
    "participant_name",
    "participant_identity",
    "track_sid",
    "muted",
    "hooks",
    "hosts",
    "from_phone_number",
    "to_phone_number",
    "transfer_to",
    "sip",
    "event",
    "participant",
]
TTS = st.fixed_dictionaries(
    {"provider": st.sampled_from(["deepgram", "Google", "azure", "elevenlabs"]), "model": NAMES},
    optional={
        "audio_format": st.sampled_from(["linear16", "wav", "mulaw", "alaw", "flac"]) | NAMES,
        "sample_rate": st.sampled_from([0, 8000, 24000, 2**32 - 1, -1]) | st.integers(),
        "speaking_rate": st.floats(allow_nan=False, allow_infinity=False),
        "pronunciations": st.lists(
            st.fixed_dictionaries({"word": NAMES, "pronunciation": NAMES}), max_size=3
        ),
        "auth": st.dictionaries(st.sampled_from(["api_key", "region", "credentials"]), SCALARS),
    },
)
VALUES = st.recursive(
    SCALARS | TTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | NAMES, inner, max_size=4)
    ),
    max_leaves=8,
)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "/speak": st.fixed_dictionaries({"text": NAMES, "tts_config": TTS}),
    "/livekit/token": st.fixed_dictionaries(
        {"room_name": NAMES, "participant_name": NAMES, "participant_identity": NAMES}
    ),
    "/livekit/participant": st.fixed_dictionaries(
        {"room_name": NAMES, "participant_identity": NAMES}
    ),
    "/livekit/participant/mute": st.fixed_dictionaries(
        {
            "room_name": NAMES,
            "participant_identity": NAMES,
            "track_sid": NAMES,
            "muted": st.booleans(),
        }
    ),
    "/sip/hooks": st.fixed_dictionaries(
        {},
        optional={
            "hooks": st.lists(
                st.fixed_dictionaries({"host": NAMES, "url": NAMES, "auth_id": NAMES}), max_size=3
            ),
            "hosts": st.lists(NAMES, max_size=3),
        },
    ),
    "/sip/call": st.fixed_dictionaries(
        {
            "room_name": NAMES,
            "participant_name": NAMES,
            "participant_identity": NAMES,
            "from_phone_number": NAMES,
            "to_phone_number": NAMES,
        },
        optional={"sip": VALUES},
    ),
    "/sip/transfer": st.fixed_dictionaries(
        {"room_name": NAMES, "participant_identity": NAMES, "transfer_to": NAMES}
    ),
}
SEGMENTS = st.text("abr%2FfE.+é ü", min_size=1, max_size=8)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["authorization", "content-type", "connection", "upgrade", "x-other"]),
        st.sampled_from(["Bearer s-acme", "application/json", "Upgrade", "websocket", "Bearer"])
        | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])),
    ),
    max_size=4,
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Well-formed requests, most of them to routes that exist, with bodies that nearly fit."""

    def rarely() -> bool:
        return draw(st.integers(0, 9)) == 0

    route = draw(st.sampled_from(ROUTES))
    path = re.sub(r"\{.*\}", lambda _: draw(SEGMENTS), route.path)
    method = draw(st.sampled_from([*route.handlers]))
    if rarely():
        path = f"/{draw(SEGMENTS)}"
    if rarely():
        method = draw(st.sampled_from(["HEAD", "GET", "PATCH", "OPTIONS"]))
    fitting = not rarely() and route.path in KNOWN
    body = json.dumps(draw(KNOWN[route.path] if fitting else VALUES)).encode()
    if rarely():
        body = draw(st.binary(max_size=20))
    headers = draw(HEADERS)
    if not rarely():
        headers = [
            ("authorization", "Bearer s-acme"),
            ("content-type", "application/json"),
            *headers,
        ]
    query = draw(st.just("") | st.text("api_key=&%+2sx", max_size=20))
    return Request(method, path, query, tuple(headers), body)


def check_shape(request: Request, response: Response) -> None:
    """Assert that the answer is one of those of rest.md 3."""
    headers = dict(response.headers)
    head = request.method == "HEAD"
    if head or not response.body:
        assert not (head and response.body)
    else:
        assert headers["content-length"] == str(len(response.body))
    kind = headers.get("content-type")
    if response.status == 200:
        assert kind in ("application/json", "audio/ogg") or "x-audio-format" in headers
    elif kind == "application/json" and not head:
        refused = json.loads(response.body)
        assert list(refused) in (["error"], ["error", "code"], ["error", "message"])
        assert all(isinstance(text, str) for text in refused.values())
    else:
        assert kind in (None, "application/json", "text/plain; charset=utf-8")
        assert response.status in (400, 401, 404, 405, 413, 415, 422, 426, 500, 503)
    if kind == "application/json" and not head:
        compact = json.dumps(json.loads(response.body), separators=(",", ":"), ensure_ascii=False)
        assert response.body == compact.encode()


def on_the_wire(request: Request, chunks: int) -> bytes:
    """The request as bytes, the body in so many chunks or (0) with its length."""
    path = quote(request.raw_path, safe="/%")
    head = [f"{request.method} {path}?{request.query} HTTP/1.1", "host: sayna", "connection: close"]
    once = dict(request.headers)  # aiohttp takes a repeated content type for malformed
    head += [f"{name}: {once[name]}" for name in once if name not in ("connection", "upgrade")]
    body = request.body
    head.append("transfer-encoding: chunked" if chunks else f"content-length: {len(body)}")
    if chunks:
        size = -(-len(body) // chunks) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))
    return "\r\n".join((*head, "", "")).encode("latin-1") + body


@given(requests(), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_every_request_on_a_socket_is_answered_like_the_rules_say(
    asked: Request, chunks: int
) -> None:
    with FakeSaynaServer() as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(on_the_wire(asked, chunks))
            answered = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answered.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    assert all(name == name.lower() and name != "server" for name, _ in headers)
    check_shape(asked, Response(int(start.split(" ")[1]), headers, body))


@given(st.sampled_from(SETTINGS), st.lists(requests(), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_request_is_answered_in_a_specified_shape(
    knobs: ServerSettings, asked: list[Request]
) -> None:
    async def ask() -> None:
        rest = Rest(knobs)
        for request in asked:
            answered = await rest.raw(request)
            if isinstance(answered, Upgrade):
                assert request.raw_path == "/ws"
            else:
                check_shape(request, answered)
        await rest.settled()
        assert rest.state.background == set()
        assert len(asyncio.all_tasks()) == 1

    with virtual_time():
        asyncio.run(ask())

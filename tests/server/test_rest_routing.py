from dataclasses import replace

import pytest

from sayna_testing.server.rest import Headers, Request, Response, Upgrade
from tests.server.asking import ACME, TENANTS, Rest

KEY = "x"
UPGRADE: Headers = (
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)
MISSING = (
    b'{"error":"missing_auth_header","message":"Missing authentication token'
    b' (Authorization header or api_key query parameter)"}'
)


async def test_health_needs_no_token() -> None:
    assert await Rest(TENANTS)("GET", "/") == Response(
        200, (("content-type", "application/json"), ("content-length", "15")), b'{"status":"OK"}'
    )


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    rest = Rest()
    got = await rest("GET", "/voices")
    assert await rest("HEAD", "/voices") == replace(got, body=b"")


@pytest.mark.parametrize("path", ["/nowhere", "/voices/", "/Voices", "/livekit/rooms/", "//", "*"])
async def test_unknown_path_is_an_empty_404(path: str) -> None:
    assert await Rest()("GET", path) == Response(404, (("content-length", "0"),))


async def test_head_of_an_unknown_path_has_no_length() -> None:
    assert await Rest()("HEAD", "/nowhere") == Response(404)


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/", "GET,HEAD"),
        ("/speak", "POST"),
        ("/livekit/participant", "DELETE"),
        ("/livekit/rooms/x", "GET,HEAD"),
        ("/sip/hooks", "GET,HEAD,POST,DELETE"),
        ("/ws", "GET,HEAD"),
    ],
)
async def test_wrong_method_names_the_right_ones(path: str, allow: str) -> None:
    assert await Rest()("OPTIONS", path) == Response(
        405, (("content-length", "0"), ("allow", allow))
    )


async def test_unknown_path_and_wrong_method_need_a_token_first() -> None:
    headers = (("content-type", "application/json"), ("content-length", str(len(MISSING))))
    rest = Rest(TENANTS)
    assert await rest("GET", "/nowhere") == Response(401, headers, MISSING)
    allow = (*headers, ("allow", "GET,HEAD"))
    assert await rest("POST", "/ws") == Response(401, allow, MISSING)
    assert (await rest("GET", "/nowhere", **ACME)).status == 404


async def test_upgrade_is_decided_after_auth() -> None:
    assert await Rest().raw(Request("GET", "/ws", headers=UPGRADE)) == Upgrade("", KEY)
    scoped = Request("GET", "/ws", "api_key=s+globex%2B", UPGRADE)
    assert await Rest(TENANTS).raw(scoped) == Upgrade("globex", KEY)


@pytest.mark.parametrize(
    ("without", "text"),
    [
        ("Connection", b"Connection header did not include 'upgrade'"),
        ("Upgrade", b"`Upgrade` header did not include 'websocket'"),
        ("Sec-WebSocket-Key", b"`Sec-WebSocket-Key` header missing"),
        ("Sec-WebSocket-Version", b"`Sec-WebSocket-Version` header did not include '13'"),
    ],
)
async def test_upgrade_headers_are_checked(without: str, text: bytes) -> None:
    headers = tuple((name, value) for name, value in UPGRADE if name != without)
    response = await Rest().raw(Request("GET", "/ws", headers=headers))
    assert isinstance(response, Response)
    assert (response.status, response.body) == (400, text)


async def test_http_1_0_cannot_be_upgraded() -> None:
    response = await Rest().raw(Request("GET", "/ws", headers=UPGRADE, http_version=(1, 0)))
    assert isinstance(response, Response)
    assert response.status == 426
    assert response.body.startswith(b"WebSocket request couldn't be upgraded")


async def test_head_of_ws_is_refused_without_allow() -> None:
    assert await Rest()("HEAD", "/ws") == Response(
        405, (("content-type", "text/plain; charset=utf-8"), ("content-length", "28"))
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/problem+json",
        "application/json;",
        'application/json; a="b c";x=y',
    ],
)
async def test_json_content_types_are_taken(content_type: str) -> None:
    response = await Rest()("POST", "/sip/hooks", b"{}", content_type=content_type)
    assert response.status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/json",
        "application/json ;charset=utf-8",
        "application/json; charset",
        "application/json, text/plain",
        "application/x-www-form-urlencoded",
        "application/+json",
    ],
)
async def test_other_content_types_are_refused_before_the_body(content_type: str) -> None:
    rest = Rest()
    huge = b"x" * (2 * 2**20 + 1)
    assert await rest.error("POST", "/sip/hooks", huge, content_type=content_type) == (
        415,
        "Expected request with `Content-Type: application/json`",
    )


async def test_body_of_more_than_two_mebibytes_is_refused() -> None:
    rest = Rest()
    fits = b"{}" + b" " * (2 * 2**20 - 2)
    assert (await rest("POST", "/sip/hooks", fits, content_type="application/json")).status == 200
    assert await rest.error("POST", "/sip/hooks", fits + b" ", content_type="application/json") == (
        413,
        "Failed to buffer the request body: length limit exceeded",
    )


async def test_malformed_and_mistyped_bodies_differ_in_status() -> None:
    rest = Rest()
    assert await rest.error("POST", "/speak", b"{", content_type="application/json") == (
        400,
        "Failed to parse the request body as JSON: EOF while parsing an object at line 1 column 1",
    )
    assert await rest.error("POST", "/speak", {}) == (
        422,
        "Failed to deserialize the JSON body into the target type:"
        " missing field `text` at line 1 column 2",
    )


async def test_room_beyond_ascii_may_be_asked_for_unescaped() -> None:
    status, body = await Rest().error("GET", "/livekit/rooms/ü")
    assert (status, body) == (404, '{"error":"Room \'ü\' not found"}')


async def test_path_that_is_no_utf8_is_refused() -> None:
    rest = Rest()
    assert await rest.error("GET", "/livekit/rooms/%ff") == (
        400,
        "Invalid URL: Invalid UTF-8 in `room_name`",
    )
    assert await rest.error("GET", "/recording/%ff") == (
        400,
        "Invalid URL: Invalid UTF-8 in `stream_id`",
    )

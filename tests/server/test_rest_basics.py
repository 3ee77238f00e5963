from sayna_testing.server.rest import Headers, Posted, Request, Response, Upgrade, answer
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.state import ServerState

UPGRADE: Headers = (
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Key", "x"),
    ("Sec-WebSocket-Version", "13"),
)


async def no_post(url: str, headers: Headers, body: bytes, limit: float) -> Posted:
    raise AssertionError(f"nothing is posted here, but {url} was")


async def ask(
    method: str, path: str, headers: Headers = (), settings: ServerSettings | None = None
) -> Response | Upgrade:
    path, _, query = path.partition("?")
    return await answer(ServerState(settings), Request(method, path, query, headers), post=no_post)


SECRETS = ServerSettings(auth_required=True, auth_api_secrets={"acme": "s3cret token"})


async def test_health_needs_no_token() -> None:
    assert await ask("GET", "/", settings=SECRETS) == Response(
        200, (("content-type", "application/json"), ("content-length", "15")), b'{"status":"OK"}'
    )


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    assert await ask("HEAD", "/") == Response(
        200, (("content-type", "application/json"), ("content-length", "15"))
    )


async def test_unknown_path_is_an_empty_404() -> None:
    assert await ask("GET", "/nowhere") == Response(404, (("content-length", "0"),))
    assert await ask("HEAD", "/nowhere") == Response(404)


async def test_wrong_method_names_the_right_ones() -> None:
    assert await ask("POST", "/") == Response(405, (("content-length", "0"), ("allow", "GET,HEAD")))


async def test_unknown_path_and_wrong_method_need_a_token_first() -> None:
    body = (
        b'{"error":"missing_auth_header","message":"Missing authentication token'
        b' (Authorization header or api_key query parameter)"}'
    )
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    assert await ask("GET", "/nowhere", settings=SECRETS) == Response(401, headers, body)
    allow = (*headers, ("allow", "GET,HEAD"))
    assert await ask("POST", "/ws", settings=SECRETS) == Response(401, allow, body)


async def test_upgrade_is_decided_after_auth() -> None:
    assert await ask("GET", "/ws", UPGRADE) == Upgrade("")
    token = "/ws?api_key=s3cret+token"
    assert await ask("GET", token, UPGRADE, settings=SECRETS) == Upgrade("acme")


async def test_head_of_ws_is_refused_without_allow() -> None:
    assert await ask("HEAD", "/ws", UPGRADE) == Response(
        405, (("content-type", "text/plain; charset=utf-8"), ("content-length", "28"))
    )

"""Deliveries to ASGI applications, aiohttp applications and URLs, all of them real."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiohttp import web
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from sayna_client import SaynaValidationError, WebhookReceiver
from sayna_testing.asgi import AsgiError
from sayna_testing.clock import virtual_time
from sayna_testing.delivery import DeliveryError, open_target
from sayna_testing.webhooks import SignedWebhook, WebhookSigner, deliver

SECRET = "the-secret-of-these-tests"
SIGNER = WebhookSigner(SECRET)


def hook() -> SignedWebhook:
    return SIGNER.sip_call(from_="+447700900123")


def fastapi_app(receiver: WebhookReceiver, log: list[str]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        log.append("start")
        yield {"from_lifespan": "state"}
        log.append("stop")

    app = FastAPI(lifespan=lifespan)

    @app.post("/sayna")
    async def answer(request: Request, background: BackgroundTasks) -> dict[str, str]:
        try:
            call = receiver.receive(request.headers, await request.body())
        except SaynaValidationError as error:
            raise HTTPException(401, type(error).__name__) from error

        async def talk() -> None:
            await asyncio.sleep(0.01)
            log.append(f"talked to {call.from_phone_number}")

        background.add_task(talk)
        log.append("answered")
        return {"state": request.state.from_lifespan}

    return app


async def test_asgi_app_is_started_answers_goes_on_and_is_stopped() -> None:
    log: list[str] = []

    response = await deliver(hook(), fastapi_app(WebhookReceiver(SECRET), log))

    assert (response.status, response.text) == (200, '{"state":"state"}')
    assert ("content-type", "application/json") in response.headers
    assert log == ["start", "answered", "talked to +447700900123", "stop"]


async def test_answer_comes_before_background_work_ends() -> None:
    log: list[str] = []

    async with open_target(fastapi_app(WebhookReceiver(SECRET), log)) as door:
        await door(hook())
        assert log == ["start", "answered"]
        await door(hook())
        assert log.count("start") == 1
    assert log.count("talked to +447700900123") == 2


async def test_refusal_reaches_the_sender() -> None:
    response = await deliver(hook(), fastapi_app(WebhookReceiver("another-secret-than-that"), []))

    assert response.status == 401
    assert "SaynaWebhookSignatureError" in response.text


async def test_background_work_that_does_not_end_is_cancelled_after_grace() -> None:
    log: list[str] = []

    async def forever(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})
        assert (await receive())["type"] == "http.request"
        log.append((await receive())["type"])
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    with virtual_time() as clock:
        assert (await deliver(hook(), forever)).status == 204
        assert clock.elapsed == pytest.approx(5.0)
    assert log == ["http.disconnect", "cancelled"]


async def test_body_in_pieces_is_read_to_its_last_message() -> None:
    async def stream(request: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for piece in ("one ", "two ", "three"):
                yield piece

        return StreamingResponse(pieces(), headers={"X-Sizes": "é"})

    app = Starlette(routes=[Route("/", stream, methods=["POST"])])
    response = await deliver(hook(), app)

    assert response.text == "one two three"
    assert ("x-sizes", "é") in response.headers


async def test_error_of_the_app_is_raised_as_it_is() -> None:
    class BrokenError(Exception):
        pass

    async def fails(_scope: Any, _receive: Any, _send: Any) -> None:
        raise BrokenError

    with pytest.raises(BrokenError):
        await deliver(hook(), fails)


async def test_error_after_the_answer_is_raised_at_the_end() -> None:
    async def fails_late(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        raise LookupError(scope["path"])

    with pytest.raises(LookupError, match="/x"):
        await deliver(hook(), fails_late, path="/x")

    async def deliver_twice() -> None:
        async with open_target(fails_late) as door:
            await door(hook())
            await door(hook())

    with pytest.raises(ExceptionGroup, match="in the background") as group:
        await deliver_twice()
    assert len(group.value.exceptions) == 2


async def test_error_of_the_app_is_the_cause_of_what_the_test_found() -> None:
    app = FastAPI()

    @app.post("/sayna")
    async def answer() -> None:
        raise LookupError("no such table")

    async def expect_no_answer(reason: Exception | None) -> None:
        async with open_target(app) as door:
            await door(hook())
            raise AssertionError from reason

    reason = KeyError()
    for given, cause in ((None, LookupError), (reason, KeyError)):
        with pytest.raises(AssertionError) as caught:
            await expect_no_answer(given)
        assert type(caught.value.__cause__) is cause


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "ended without a complete answer"),
        ([{"type": "http.response.start", "status": 200}], "ended without a complete answer"),
        ([{"type": "http.response.body"}], "unexpected message 'http.response.body'"),
        (
            [{"type": "http.response.start", "status": 200}] * 2,
            "unexpected message 'http.response.st",
        ),
        ([{"type": "websocket.accept"}], "unexpected message 'websocket.accept'"),
    ],
    ids=["nothing", "no body", "no start", "two starts", "foreign"],
)
async def test_app_that_breaks_asgi_is_told(messages: list[Any], complaint: str) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(AsgiError, match=complaint):
        await deliver(hook(), app)


async def test_app_that_fails_to_start_says_why() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise ConnectionError("no database")
        yield

    with pytest.raises(
        Exception, match=r"startup of the application failed.*no database"
    ) as caught:
        await deliver(hook(), FastAPI(lifespan=lifespan))
    assert isinstance(caught.value.__cause__, ConnectionError)


async def test_app_that_fails_to_stop_says_why() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        raise ConnectionError("still busy")

    with pytest.raises(AsgiError, match=r"shutdown of the application failed.*still busy"):
        async with open_target(FastAPI(lifespan=lifespan)):
            pass


async def test_asgi_app_without_an_answer_runs_into_the_limit() -> None:
    left: list[str] = []

    async def silent(scope: Any, receive: Any, _send: Any) -> None:
        assert scope["type"] == "http"
        await receive()
        left.append((await receive())["type"])

    with (
        virtual_time() as clock,
        pytest.raises(DeliveryError, match=r"no answer in 5.0 s to POST /"),
    ):
        await deliver(hook(), silent)
    assert clock.elapsed == pytest.approx(5.0)
    assert left == ["http.disconnect"]


async def test_answer_after_the_limit_is_nobodys() -> None:
    async def late(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await asyncio.sleep(6)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    with virtual_time() as clock:
        with pytest.raises(DeliveryError, match="no answer"):
            await deliver(hook(), late)
        assert clock.elapsed == pytest.approx(6.0)


async def test_body_after_the_answer_breaks_asgi() -> None:
    async def talkative(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        await send({"type": "http.response.body"})

    with pytest.raises(AsgiError, match=r"'http.response.body'.*expected 'nothing more'"):
        await deliver(hook(), talkative)


async def test_leaving_gives_up_a_request_that_waits() -> None:
    async def stuck(scope: Any, _receive: Any, _send: Any) -> None:
        assert scope["type"] == "http"
        await asyncio.sleep(3600)

    with virtual_time():
        async with open_target(stuck) as door:
            waiting = asyncio.ensure_future(door(hook()))
            await asyncio.sleep(1)
            waiting.cancel()
        assert waiting.cancelled()


async def test_path_is_decoded_and_query_kept() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})

    assert (await deliver(hook(), app, path="/caf%C3%A9?to=a%20b")).body == b"ok"
    assert (seen["path"], seen["raw_path"]) == ("/café", b"/caf%C3%A9")
    assert seen["query_string"] == b"to=a%20b"
    assert (b"content-type", b"application/json") in seen["headers"]


def aiohttp_app(receiver: WebhookReceiver, log: list[str]) -> web.Application:
    app = web.Application()

    async def life(_: web.Application) -> AsyncIterator[None]:
        log.append("start")
        yield
        log.append("stop")

    async def answer(request: web.Request) -> web.Response:
        call = receiver.receive(request.headers, await request.read())
        log.append(call.event_id)
        return web.Response(status=202, text="on my way", headers={"X-Agent": "1"})

    app.cleanup_ctx.append(life)
    app.router.add_post("/calls/sayna", answer)
    app.router.add_get("/health", answer)
    return app


async def test_aiohttp_app_is_started_answers_and_is_stopped() -> None:
    log: list[str] = []
    sent = hook()

    response = await deliver(sent, aiohttp_app(WebhookReceiver(SECRET), log))

    assert (response.status, response.text) == (202, "on my way")
    assert ("x-agent", "1") in response.headers
    assert log == ["start", sent.event_id, "stop"]


async def test_aiohttp_app_is_started_once() -> None:
    log: list[str] = []

    async with open_target(aiohttp_app(WebhookReceiver(SECRET), log)) as door:
        for _ in range(2):
            assert (await door(hook())).status == 202
    assert (log[0], log[-1], len(log)) == ("start", "stop", 4)


async def test_aiohttp_app_needs_no_path_only_with_one_post_route() -> None:
    app = aiohttp_app(WebhookReceiver(SECRET), [])

    async def other(_: web.Request) -> web.Response:
        return web.Response(text="other")

    app.router.add_post("/other", other)

    with pytest.raises(
        ValueError, match=r"several POST routes .*/calls/sayna, /other.*: choose by"
    ):
        await deliver(hook(), app)
    assert (await deliver(hook(), app, path="/calls/sayna")).status == 202


async def test_aiohttp_app_without_routes_is_asked_at_the_root() -> None:
    assert (await deliver(hook(), web.Application())).status == 404


async def test_target_of_another_kind_is_refused() -> None:
    targets: list[Any] = [5, None, FastAPI]
    for target in targets:
        with pytest.raises(
            TypeError, match=r"expected an ASGI application.*got (int|NoneType|type)"
        ):
            await deliver(hook(), target)


Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def http_server(answer: Answer) -> Iterator[str]:
    """A server of the standard library, in a thread, on a real socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers.get("content-length", 0))))

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


async def test_url_gets_exactly_what_the_server_sends() -> None:
    seen: dict[str, Any] = {}

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.update(method=handler.command, path=handler.path, body=body)
        seen["headers"] = {name.lower(): value for name, value in handler.headers.items()}
        WebhookReceiver(SECRET).receive(handler.headers, body)
        reply(handler, 200, b"fine")

    sent = hook()
    with http_server(answer) as url:
        response = await deliver(sent, f"{url}/hooks/sip?a=1")

    assert (response.status, response.text) == (200, "fine")
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/hooks/sip?a=1", sent.body)
    assert seen["headers"] == {
        **sent.headers,
        "host": url.removeprefix("http://"),
        "content-length": str(len(sent.body)),
    }


async def test_url_is_waited_for_at_real_speed_under_a_virtual_clock() -> None:
    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        threading.Event().wait(0.05)
        reply(handler, 204)

    with http_server(answer) as url, virtual_time() as clock:
        assert (await deliver(hook(), url)).status == 204
        assert 0.04 < clock.elapsed < 4


@pytest.mark.parametrize(("hops", "delivered"), [(1, True), (10, True), (11, False)])
async def test_redirects_are_followed_ten_times_without_the_body(
    hops: int, delivered: bool
) -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((handler.command, body))
        if len(seen) > hops:
            reply(handler, 200)
        else:
            reply(handler, 302, location=f"/{len(seen)}")

    with http_server(answer) as url:
        if delivered:
            assert (await deliver(hook(), url)).status == 200
            assert seen[-1] == ("GET", b"")
        else:
            with pytest.raises(DeliveryError):
                await deliver(hook(), url)


async def test_nobody_there_is_a_delivery_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        with pytest.raises(
            DeliveryError, match=f"could not be delivered to http://127.0.0.1:{port}/"
        ):
            await deliver(hook(), f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nowhere", "http://[/"])
async def test_url_that_is_none_is_a_delivery_error(url: str) -> None:
    with pytest.raises(DeliveryError):
        await deliver(hook(), url)

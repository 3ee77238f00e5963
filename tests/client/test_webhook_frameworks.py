"""Every forgery against the receiver inside Flask, FastAPI, Django and aiohttp applications."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import aiohttp
import django
import flask
import pytest
import uvicorn
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from django.conf import settings as django_settings
from django.http import HttpRequest, JsonResponse
from django.test import Client as DjangoClient
from django.test import RequestFactory, override_settings
from django.urls import path
from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient as FastApiClient

from sayna_client import SaynaWebhookError, WebhookReceiver
from sayna_testing.delivery import open_target
from sayna_testing.webhooks import Forgery, SignedWebhook, WebhookSigner, deliver, forgeries

SECRET = "the-secret-of-these-tests"
RECEIVER = WebhookReceiver(SECRET)
SIGNER = WebhookSigner(SECRET)

EVERY_FORGERY = pytest.mark.parametrize("forgery", forgeries(), ids=str)


flask_app = flask.Flask("agent")


@flask_app.post("/sayna")
def flask_view() -> Any:
    try:
        call = RECEIVER.receive(flask.request.headers, flask.request.get_data())
    except SaynaWebhookError as error:
        return {"error": type(error).__name__}, 401
    return {"event": call.event_id}


@flask_app.post("/environ")
def flask_environ_view() -> Any:
    try:
        call = RECEIVER.receive(flask.request.environ, flask.request.get_data())
    except SaynaWebhookError as error:
        return {"error": type(error).__name__}, 401
    return {"event": call.event_id}


fastapi_app = FastAPI()


@fastapi_app.post("/sayna")
async def fastapi_view(request: Request) -> dict[str, str]:
    try:
        call = RECEIVER.receive(request.headers, await request.body())
    except SaynaWebhookError as error:
        raise HTTPException(401, type(error).__name__) from error
    return {"event": call.event_id}


@fastapi_app.post("/scope")
async def fastapi_scope_view(request: Request) -> dict[str, str]:
    try:
        call = RECEIVER.receive(request.scope["headers"], await request.body())
    except SaynaWebhookError as error:
        raise HTTPException(401, type(error).__name__) from error
    return {"event": call.event_id}


@fastapi_app.post("/dict")
async def fastapi_dict_view(request: Request) -> dict[str, str]:
    """As the official samples have it: a plain dict, and the body as text."""
    try:
        call = RECEIVER.receive(dict(request.headers), (await request.body()).decode())
    except (SaynaWebhookError, UnicodeDecodeError) as error:
        raise HTTPException(401, type(error).__name__) from error
    return {"event": call.event_id}


def django_view(request: HttpRequest) -> JsonResponse:
    try:
        call = RECEIVER.receive(request.headers, request.body)
    except SaynaWebhookError as error:
        return JsonResponse({"error": type(error).__name__}, status=401)
    return JsonResponse({"event": call.event_id})


def django_meta_view(request: HttpRequest) -> JsonResponse:
    try:
        call = RECEIVER.receive(request.META, request.body)
    except SaynaWebhookError as error:
        return JsonResponse({"error": type(error).__name__}, status=401)
    return JsonResponse({"event": call.event_id})


class DjangoUrls(ModuleType):
    urlpatterns = (path("sayna", django_view), path("meta", django_meta_view))


async def aiohttp_view(request: web.Request) -> web.Response:
    try:
        call = RECEIVER.receive(request.headers, await request.read())
    except SaynaWebhookError as error:
        raise web.HTTPUnauthorized(text=type(error).__name__) from error
    return web.json_response({"event": call.event_id})


def aiohttp_app() -> web.Application:
    app = web.Application()
    app.router.add_post("/sayna", aiohttp_view)
    return app


@EVERY_FORGERY
@pytest.mark.parametrize("route", ["/sayna", "/environ"])
def test_flask(forgery: Forgery, route: str) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    answer = flask_app.test_client().post(route, **hook.as_flask())

    assert (answer.status_code == 200) is forgery.accepted, forgery.why


@EVERY_FORGERY
def test_flask_with_plain_body_and_headers(forgery: Forgery) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    answer = flask_app.test_client().post("/sayna", data=hook.body, headers=hook.headers)

    assert (answer.status_code == 200) is forgery.accepted, forgery.why


@pytest.fixture(scope="module")
def fastapi_client() -> Iterator[FastApiClient]:
    with FastApiClient(fastapi_app) as client:
        yield client


@EVERY_FORGERY
@pytest.mark.parametrize("route", ["/sayna", "/scope", "/dict"])
def test_fastapi(forgery: Forgery, route: str, fastapi_client: FastApiClient) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    answer = fastapi_client.post(route, **hook.as_starlette())

    assert (answer.status_code == 200) is forgery.accepted, forgery.why


@pytest.fixture(scope="module")
def django_client() -> Iterator[DjangoClient]:
    if not django_settings.configured:
        django_settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="only-for-tests")
        django.setup()
    with override_settings(ROOT_URLCONF=DjangoUrls("urls")):
        yield DjangoClient()


@EVERY_FORGERY
@pytest.mark.parametrize("route", ["/sayna", "/meta"])
def test_django(forgery: Forgery, route: str, django_client: DjangoClient) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    answer = django_client.post(route, **hook.as_django())

    assert (answer.status_code == 200) is forgery.accepted, forgery.why


def test_django_request_factory(django_client: DjangoClient) -> None:
    request = RequestFactory().post("/sayna", **SIGNER.sip_call(event_id="EV_1").as_django())

    assert json.loads(django_view(request).content) == {"event": "EV_1"}


def test_flask_request_context() -> None:
    hook = SIGNER.sip_call(event_id="EV_1")

    with flask_app.test_request_context("/sayna", method="POST", **hook.as_flask()):
        assert flask_view() == {"event": "EV_1"}


@pytest.fixture
async def aiohttp_client() -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(aiohttp_app())) as client:
        yield client


async def test_aiohttp(aiohttp_client: TestClient[Any, Any]) -> None:
    for forgery in forgeries():
        hook = forgery.apply(SIGNER.sip_call())

        async with aiohttp_client.post("/sayna", **hook.as_aiohttp()) as answer:
            assert (answer.status == 200) is forgery.accepted, (forgery.name, forgery.why)


async def test_delivery_to_applications() -> None:
    for target in (fastapi_app, aiohttp_app()):
        async with open_target(target, path="/sayna") as door:
            for forgery in forgeries():
                answer = await door(forgery.apply(SIGNER.sip_call()))
                assert (answer.status == 200) is forgery.accepted, (forgery.name, forgery.why)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The application behind uvicorn on a real socket, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


async def raw_post(url: str, hook: SignedWebhook) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, **hook.as_aiohttp()) as answer:
        return answer.status


@pytest.fixture(scope="module")
def real_server() -> Iterator[str]:
    with served(fastapi_app) as url:
        yield url


Post = Callable[[str, SignedWebhook], int]


def by_client(url: str, hook: SignedWebhook) -> int:
    return asyncio.run(raw_post(url, hook))


def by_delivery(url: str, hook: SignedWebhook) -> int:
    return asyncio.run(deliver(hook, url)).status


@EVERY_FORGERY
@pytest.mark.parametrize("post", [by_client, by_delivery])
def test_real_server(forgery: Forgery, post: Post, real_server: str) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    assert (post(f"{real_server}/sayna", hook) == 200) is forgery.accepted, forgery.why

"""Delivers a webhook to whoever answers the phone: an ASGI app, an aiohttp app, or a URL."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

import aiohttp
from aiohttp import web

from sayna_testing.asgi import AsgiApp, AsgiRunner, HttpResponse
from sayna_testing.clock import outside
from sayna_testing.server.memory import MemoryConnector
from sayna_testing.webhooks.request import SignedWebhook

__all__ = ["DeliveryError", "Door", "Target", "deliver", "open_target"]

Target: TypeAlias = "str | web.Application | AsgiApp"
Door: TypeAlias = Callable[[SignedWebhook], Awaitable[HttpResponse]]

# rest.md 15.4: 500 ms to connect, 5 s in all, up to 10 redirects
_LIMITS = aiohttp.ClientTimeout(total=5.0, connect=0.5)
_REDIRECTS = 10


class DeliveryError(Exception):
    """A webhook could not be delivered; the cause is the error underneath."""


async def deliver(hook: SignedWebhook, target: Target, *, path: str | None = None) -> HttpResponse:
    """Start the application, deliver one webhook, let its background work end, stop it.

    See `open_target` for what `target` and `path` may be and what is raised.
    """
    async with open_target(target, path=path) as door:
        return await door(hook)


@contextlib.asynccontextmanager
async def open_target(target: Target, *, path: str | None = None) -> AsyncGenerator[Door]:
    """Keep a target ready for webhooks; each one goes through the function that this gives.

    `target` is an ASGI application or an aiohttp one, both run in this loop without a socket and
    started once, or a URL, which is posted to as the server does it (rest.md 15.4) at real speed.
    `path` is an application's, by default that of its only POST route, else `/`.

    Raises `DeliveryError` when nobody can be reached, `TypeError` for a target of another kind,
    `ValueError` when an application has several POST routes and no `path` chooses.
    """
    if isinstance(target, str):
        yield _to_url(target)
    elif isinstance(target, web.Application):
        async with _aiohttp_door(target, path or _only_post_path(_aiohttp_routes(target))) as door:
            yield door
    elif callable(target) and not inspect.isclass(target):
        async with AsgiRunner(target) as runner:
            where = path or _only_post_path(_asgi_routes(target))

            async def post(hook: SignedWebhook) -> HttpResponse:
                try:
                    async with asyncio.timeout(_LIMITS.total):
                        return await runner.request(
                            "POST", where, headers=hook.header_pairs, body=hook.body
                        )
                except TimeoutError as error:
                    raise DeliveryError(
                        f"no answer in {_LIMITS.total} s to POST {where}"
                    ) from error

            yield post
    else:
        raise TypeError(
            "expected an ASGI application, an aiohttp application or a URL, "
            f"got {type(target).__name__}"
        )


def _to_url(url: str) -> Door:
    async def post(hook: SignedWebhook) -> HttpResponse:
        with outside(f"webhook to {url}"):
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
                return await _post(session, url, hook)

    return post


@contextlib.asynccontextmanager
async def _aiohttp_door(app: web.Application, path: str) -> AsyncGenerator[Door]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None  # setup() made it
    connector = MemoryConnector(accept=runner.server)
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            yield lambda hook: _post(session, f"http://127.0.0.1{path}", hook)
    finally:
        await runner.cleanup()


async def _post(session: aiohttp.ClientSession, url: str, hook: SignedWebhook) -> HttpResponse:
    try:
        async with session.post(
            url,
            **hook.as_aiohttp(),
            skip_auto_headers=["Accept-Encoding"],
            timeout=_LIMITS,
            max_redirects=_REDIRECTS + 1,  # aiohttp gives up at this number, not after it
        ) as response:
            headers = tuple((name.lower(), value) for name, value in response.headers.items())
            return HttpResponse(response.status, headers, await response.read())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise DeliveryError(f"the webhook could not be delivered to {url}: {reason}") from error


def _aiohttp_routes(app: web.Application) -> list[str]:
    return [
        route.resource.canonical
        for route in app.router.routes()
        if route.method in ("POST", "*") and route.resource is not None
    ]


def _asgi_routes(app: Any) -> list[str]:
    """Paths of POST routes of an application that tells them, as Starlette's and FastAPI's do."""
    return [route.path for route in getattr(app, "routes", ()) if _takes_post(route)]


def _takes_post(route: Any) -> bool:
    return "POST" in (getattr(route, "methods", None) or ())


def _only_post_path(paths: list[str]) -> str:
    if len(paths) > 1:
        raise ValueError(
            f"the application has several POST routes ({', '.join(paths)}): choose by path="
        )
    return paths[0] if paths else "/"

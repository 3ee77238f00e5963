"""Planned faults on HTTP requests, carried out (the upgrade of a WebSocket is one)."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

from aiohttp import web

from sayna_testing.server.fault_effects import (
    Delay,
    HttpEffect,
    Malformed,
    Replaced,
    Reset,
    Status,
    Truncated,
)
from sayna_testing.server.rest import Response, Upgrade
from sayna_testing.server.rest.messages import JSON, TEXT, body_response

_LINGER_NOT = struct.pack("ii", 1, 0)

Answer = Callable[[], Awaitable[Response | Upgrade]]


def cut(transport: asyncio.BaseTransport | None) -> None:
    """Drop a connection at once; over TCP the other end sees a reset."""
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def disturbed(
    effects: list[HttpEffect], raw: web.BaseRequest, answer: Answer
) -> Response | Upgrade | web.StreamResponse:
    """Answer a request with its faults; a stream is an answer that was cut already."""
    for effect in effects:
        match effect:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Reset():
                cut(raw.transport)
                return web.StreamResponse()
            case Status():
                return _refusal(effect)
            case _:
                pass
    true = await answer()
    if not isinstance(true, Response):
        return true
    for effect in effects:
        if isinstance(effect, Truncated):
            return _write_half(true, raw.transport)
        true = _changed(true, effect)
    return true


def _refusal(effect: Status) -> Response:
    content_type = JSON if effect.body[:1] in ("{", "[") else TEXT
    more = [] if effect.retry_after is None else [("retry-after", f"{effect.retry_after:g}")]
    return body_response(effect.status, content_type, effect.body.encode(), *more)


def _changed(true: Response, effect: HttpEffect) -> Response:
    match effect:
        case Malformed():
            body = true.body[: len(true.body) // 2]
        case Replaced(text, content_type):
            return body_response(true.status, content_type, text.encode())
        case _:
            return true
    headers = tuple(
        (name, str(len(body)) if name == "content-length" else value)
        for name, value in true.headers
    )
    return replace(true, headers=headers, body=body)


def _write_half(true: Response, transport: asyncio.BaseTransport | None) -> web.StreamResponse:
    """Write the head and half of the body, then close; aiohttp finds nothing left to answer."""
    lines = [f"{name}: {value}" for name, value in true.headers]
    head = "\r\n".join([f"HTTP/1.1 {true.status} {HTTPStatus(true.status).phrase}", *lines, "", ""])
    if isinstance(transport, asyncio.WriteTransport):
        transport.write(head.encode() + true.body[: len(true.body) // 2])
        transport.close()
    return web.StreamResponse()

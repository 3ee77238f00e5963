"""Planned faults on HTTP requests, carried out (the upgrade of a WebSocket is one)."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sayna_testing.server.fault_effects import (
    Delay,
    HttpEffect,
    Malformed,
    Replaced,
    Reset,
    Status,
    Truncated,
)
from sayna_testing.server.http_connection import HttpConnection, rendered
from sayna_testing.server.rest import Response, Upgrade
from sayna_testing.server.rest.messages import JSON, TEXT, body_response

_LINGER_NOT = struct.pack("ii", 1, 0)

Answer = Callable[[], Awaitable[Response | Upgrade]]


def cut(transport: asyncio.Transport) -> None:
    """Drop a connection at once; over TCP the other end sees a reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()


async def disturbed(
    effects: list[HttpEffect], connection: HttpConnection, answer: Answer
) -> Response | Upgrade | None:
    """Answer a request with its faults; None when the connection ended without a whole answer."""
    for effect in effects:
        match effect:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Reset():
                cut(connection.transport)
                return None
            case Status():
                return _refusal(effect)
            case _:
                pass
    true = await answer()
    if not isinstance(true, Response):
        return true
    for effect in effects:
        if isinstance(effect, Truncated):
            half = replace(true, body=true.body[: len(true.body) // 2])
            await connection.write(rendered(half))
            return None
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

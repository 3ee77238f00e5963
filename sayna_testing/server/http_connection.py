"""One connection of a client: bytes in, requests answered in their order, bytes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias, cast

from sayna_testing.server.reading import HeadError, Incoming, Reader
from sayna_testing.server.rest import Request, Response

__all__ = ["HttpConnection", "Receiver", "rendered"]

Answer: TypeAlias = Callable[[Request, "HttpConnection"], Awaitable[Response | None]]
"""Answers a request; with None it is the last one, and all that was to be written is written."""

_PAUSE_ABOVE: Final = 1 << 20  # bytes that may wait to be read
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Payload Too Large",  # these have other names in some Pythons
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
}

_log = logging.getLogger("sayna_testing")


class Receiver(Protocol):
    """Takes what a client sends over from HTTP."""

    def feed_data(self, data: bytes) -> None:
        """Take bytes."""

    def feed_eof(self) -> None:
        """Take the end of the connection."""


class HttpConnection(asyncio.Protocol):
    """The server's end; `answer` is asked for one request after the other."""

    transport: asyncio.Transport

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(self._ask_for_body)
        self._receiver: Receiver | None = None
        self._come = asyncio.Event()
        self._writable: asyncio.Future[None] | None = None
        self._ended = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve from here on."""
        self.transport = cast("asyncio.Transport", transport)
        self._serving = self._loop.create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._receiver is not None:
            self._receiver.feed_data(data)
            return
        self._reader.feed(data)
        self._come.set()
        if self._reader.waiting > _PAUSE_ABOVE:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what is being done for a client that is gone, as the real server does."""
        self._ended = True
        self.resume_writing()
        if self._receiver is not None:
            self._receiver.feed_eof()
        else:
            self._serving.cancel()

    def pause_writing(self) -> None:
        """Let who writes wait."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let who writes go on."""
        if self._writable is not None:
            self._writable.set_result(None)
            self._writable = None

    # What an answer may do

    async def write(self, data: bytes) -> bool:
        """Write bytes, waiting while the client does not take them; False when it is gone."""
        if not self._ended:
            self.transport.write(data)
        if self._writable is not None:
            await asyncio.shield(self._writable)
        return not self._ended

    def hand_over(self, receiver: Receiver) -> None:
        """From here on somebody else takes what the client sends, beginning with what is there."""
        self._receiver = receiver
        receiver.feed_data(self._reader.rest())

    # What it does

    async def _serve(self) -> None:
        try:
            while await self._serve_next():
                pass
        except HeadError as refused:
            if refused.status is not None:
                headers = (("connection", "close"), ("content-length", "0"))
                self.transport.write(rendered(Response(refused.status, headers)))
        except Exception:  # noqa: BLE001 - a bug of ours ends this connection only, and is told
            _log.exception("the fake server failed")
        finally:
            self.transport.close()

    async def _serve_next(self) -> bool:
        incoming = await self._next()
        request, keep_alive = incoming.request, incoming.keep_alive
        response = await self._answer(request, self)
        if response is None:
            return False
        written = await self.write(
            rendered(response, keep_alive=keep_alive, version=request.http_version)
        )
        return written and keep_alive and not request.broken

    async def _next(self) -> Incoming:
        while (incoming := self._reader.next()) is None:
            self.transport.resume_reading()
            self._come.clear()
            await self._come.wait()
        return incoming

    def _ask_for_body(self) -> None:
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def rendered(
    response: Response, *, keep_alive: bool = True, version: tuple[int, int] = (1, 1)
) -> bytes:
    """A response as bytes; what the version does not imply is said in a `connection` header."""
    status, older = response.status, version < (1, 1)
    lines = [f"HTTP/{version[0]}.{version[1]} {status} {_PHRASES.get(status, '<none>')}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if keep_alive is older:
        lines.append(f"connection: {'keep-alive' if older else 'close'}")
    lines += [f"date: {formatdate(usegmt=True)}", "", ""]
    return "\r\n".join(lines).encode() + response.body

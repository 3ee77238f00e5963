"""The other ends of a server, with nothing between them and the bytes: HTTP and WebSocket."""

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import socket
from dataclasses import dataclass
from typing import Literal, Self

PATIENCE = 15.0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request or answer as it stood on the wire; header names in lower case."""

    start: str
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class Http:
    """One HTTP connection, kept alive from exchange to exchange."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes, *, head: bool = False) -> Message:
        """Send a request and read the answer, which has no body when it is one to HEAD."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            return await read_message(reader, bodyless=head)

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()


async def read_message(reader: asyncio.StreamReader, *, bodyless: bool = False) -> Message:
    """Read one HTTP message; raises AssertionError for a chunked one."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8")
    start, *lines = head[:-4].split("\r\n")
    pairs = [line.partition(":") for line in lines]
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    message = Message(start, headers, b"")
    assert not message.all("transfer-encoding"), "no answer is chunked"
    length = 0 if bodyless else int((message.all("content-length") or ["0"])[0])
    return Message(start, headers, await reader.readexactly(length))


Kind = Literal["text", "binary", "pong", "close", "dropped"]


@dataclass(frozen=True, slots=True)
class Event:
    """What a server did on a WebSocket: a message, a pong, a Close, or the end of TCP."""

    kind: Kind
    data: bytes = b""


class Socket:
    """A WebSocket client of bare frames; everything that comes lands in `events`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._held = b""
        self.holds = False
        """Whether what is sent is held back, to arrive together with what is sent next."""
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self._pump = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, port: int, path: str) -> Self:
        """Upgrade a new connection; raises AssertionError when the server refuses."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16))
        writer.write(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: Upgrade\r\n"
            f"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
            f"sec-websocket-key: {key.decode()}\r\n\r\n".encode()
        )
        async with asyncio.timeout(PATIENCE):
            answer = await read_message(reader)
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        assert answer.start.split()[1] == "101", answer
        assert answer.all("sec-websocket-accept") == [accept.decode()]
        return cls(reader, writer)

    async def send(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        """Send a masked frame; the mask is of zeros, which leaves the payload as it is."""
        length = len(payload)
        if length < 126:
            size = bytes([0x80 | length])
        elif length < 1 << 16:
            size = bytes([0x80 | 126]) + length.to_bytes(2, "big")
        else:
            size = bytes([0x80 | 127]) + length.to_bytes(8, "big")
        await self.send_raw(bytes([(0x80 if fin else 0) | opcode]) + size + bytes(4) + payload)

    async def send_raw(self, data: bytes) -> None:
        """Put bytes on the wire, or behind those that are held; a server may have gone."""
        self._held += data
        if not self.holds:
            with contextlib.suppress(ConnectionError):
                self._writer.write(self._held)
                self._held = b""
                await self._writer.drain()

    def half_close(self) -> None:
        """Send no more, and still read."""
        self._writer.write(self._held)
        self._writer.write_eof()

    async def close(self) -> None:
        """Drop the connection."""
        self._pump.cancel()
        self._writer.transport.abort()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump

    async def _read(self) -> None:
        kinds: dict[int, Kind] = {1: "text", 2: "binary", 8: "close", 10: "pong"}
        try:
            while True:
                first, second = await self._reader.readexactly(2)
                assert second < 128, "no server frame is masked"
                length = second
                if length == 126:
                    length = int.from_bytes(await self._reader.readexactly(2), "big")
                elif length == 127:
                    length = int.from_bytes(await self._reader.readexactly(8), "big")
                data = await self._reader.readexactly(length)
                assert first & 0xF0 == 0x80, f"a frame that begins with {first:#x}"
                self.events.put_nowait(Event(kinds[first & 0x0F], data))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.events.put_nowait(Event("dropped"))


class Listener:
    """A bare HTTP server that answers as it is told and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[Message] = asyncio.Queue()
        self.answers: list[bytes] = []
        self.delay = 0.0
        self._server: asyncio.Server | None = None
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._kept.close()

    def refuse(self) -> None:
        """Refuse connections, and keep the port from whoever else looks for one."""
        assert self._server is not None
        self._server.close()
        self._kept.bind(("127.0.0.1", self.port))

    def answer(self, status: int, body: str = "", *headers: str) -> None:
        """Answer the next request so; the last answer told stays for all that follow."""
        data = body.encode()
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", *headers]
        if status not in (204, 304):
            lines.append(f"content-length: {len(data)}")
        self.answers.append("\r\n".join([*lines, "connection: close", "", ""]).encode() + data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.put_nowait(await read_message(reader))
            await asyncio.sleep(self.delay)
            writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


_REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently",
    302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
    308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip


def wire(request: str, port: int) -> bytes:
    """The bytes of a request text; `host` and `content-length` are added when not there."""
    head, _, body = request.partition("\n\n")
    line, *headers = head.split("\n")
    if not re.search(r" HTTP/1\.[01]$", line):
        line += " HTTP/1.1"
    names = {header.partition(":")[0].lower() for header in headers}
    data = body.encode("utf-8", "surrogateescape")
    if "host" not in names:
        headers.append(f"host: 127.0.0.1:{port}")
    if "transfer-encoding" in names:
        data = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
    elif "content-length" not in names and "\n\n" in request:
        headers.append(f"content-length: {len(data)}")
    return "\r\n".join([line, *headers, "", ""]).encode() + data

"""A peer made of a plain socket: it speaks WebSocket by hand, so it can also misbehave."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
READY = '{"type":"ready","stream_id":"s-1","livekit_url":"http://localhost:7880"}'


class Wire:
    """One accepted connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.request = ""

    async def handshake(self) -> str:
        """Answer the upgrade; return the request as text."""
        self.request = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        key = next(
            line.split(": ", 1)[1]
            for line in self.request.split("\r\n")
            if line.lower().startswith("sec-websocket-key")
        )
        magic = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        accept = base64.b64encode(hashlib.sha1(magic).digest()).decode()
        self.writer.write(
            (
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                f"sec-websocket-accept: {accept}\r\n\r\n"
            ).encode()
        )
        return self.request

    async def configured(self) -> dict[str, Any]:
        """Do the handshake, read the config frame and answer `ready`; return the config."""
        await self.handshake()
        config = await self.receive_json()
        self.send(READY)
        return config

    def send(self, data: str | bytes | dict[str, Any]) -> None:
        """Send a message: str and dict as text, bytes as binary."""
        match data:
            case bytes():
                self.frame(BINARY, data)
            case str():
                self.frame(TEXT, data.encode())
            case _:
                self.frame(TEXT, json.dumps(data).encode())

    def frame(self, opcode: int, payload: bytes = b"") -> None:
        """Send one frame."""
        self.writer.write(header(opcode, len(payload)) + payload)

    def close_frame(self, code: int | None = None, reason: str = "") -> None:
        """Send a Close frame, by default without a code, as Sayna does."""
        self.frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())

    async def receive(self) -> tuple[int, bytes]:
        """Read one frame."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(length)
        return first & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))

    async def receive_json(self) -> dict[str, Any]:
        """Read the next text frame as a JSON object; skips anything else."""
        while True:
            opcode, payload = await self.receive()
            if opcode == TEXT:
                value: dict[str, Any] = json.loads(payload)
                return value

    async def receive_until_closed(self) -> list[tuple[int, bytes]]:
        """Read frames until the client closes or drops the connection."""
        frames: list[tuple[int, bytes]] = []
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not frames or frames[-1][0] != CLOSE:
                frames.append(await self.receive())
        return frames

    def drop(self) -> None:
        """Drop the TCP connection."""
        self.writer.transport.abort()


def header(opcode: int, length: int) -> bytes:
    """Return the header of an unmasked final frame."""
    if length < 126:
        return bytes([0x80 | opcode, length])
    if length < 65536:
        return bytes([0x80 | opcode, 126]) + struct.pack("!H", length)
    return bytes([0x80 | opcode, 127]) + struct.pack("!Q", length)


@contextlib.asynccontextmanager
async def peer(*scripts: Callable[[Wire], Awaitable[object]]) -> AsyncIterator[str]:
    """Serve one connection after another by the scripts, the last one repeatedly; give the URL.

    What a script raises is raised at the end of the block.
    """
    tasks: list[asyncio.Task[None]] = []
    failures: list[Exception] = []
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        script = scripts[min(count, len(scripts) - 1)]
        count += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await script(Wire(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is gone
        except Exception as error:
            failures.append(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=0.2)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks)
    if failures:
        raise failures[0]

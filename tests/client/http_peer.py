"""An HTTP peer made of a plain socket: it answers byte for byte what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass
class Answer:
    """What to answer; `after` seconds late, or by hanging up."""

    status: int = 200
    body: bytes | str | dict[str, Any] | list[Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    hang_up: bool = False
    never: bool = False


@dataclass
class Seen:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HttpPeer:
    """Answers in order, the last one again and again, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.seen: list[Seen] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                headers = {
                    name.lower(): value
                    for name, value in (line.split(": ", 1) for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                answer = self.answers[min(len(self.seen), len(self.answers) - 1)]
                self.seen.append(Seen(method, target, headers, body))
                if answer.never:
                    await reader.read()
                if answer.hang_up:
                    break
                writer.write(rendered(answer))


def rendered(answer: Answer) -> bytes:
    """Return an answer as bytes; JSON unless the body is bytes or str."""
    headers = dict(answer.headers)
    if isinstance(answer.body, dict | list):
        body = json.dumps(answer.body).encode()
        headers.setdefault("content-type", "application/json")
    else:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    headers.setdefault("content-length", str(len(body)))
    reason = answer.reason or REASONS.get(answer.status, "Some Reason")
    lines = [
        f"HTTP/1.1 {answer.status} {reason}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def http_peer(*answers: Answer) -> AsyncIterator[HttpPeer]:
    """Serve answers on a free port."""
    peer = HttpPeer(*answers)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await peer.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    peer.url = f"http://{host}:{port}"
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""Runs an ASGI application in the loop of whoever calls it, without a socket.

The lifespan is run once, by `async with`. A response is handed back at its last body message, while
the application goes on: its background tasks run until they end, or until `close()` ends them.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

__all__ = ["AsgiApp", "AsgiError", "AsgiRunner", "HttpResponse"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class AsgiError(Exception):
    """The application did not keep to ASGI, or did not start; its own error is the cause."""


@dataclasses.dataclass(frozen=True)
class HttpResponse:
    """An answer that has been read to its end; names of headers in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")


class AsgiRunner:
    """One running application: `async with AsgiRunner(app) as runner: await runner.request(…)`.

    On leaving, background work gets `grace` seconds to end, then is cancelled; after that the
    lifespan is shut down. An error of the application that no request has seen is raised then.
    """

    def __init__(self, app: AsgiApp, *, grace: float = 5.0) -> None:
        self._app = app
        self._grace = grace
        self._lifespan = _Lifespan(app)
        self._running: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    async def __aenter__(self) -> Self:
        await self._lifespan.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._end_background()
        finally:
            await self._lifespan.stop()
        if not self._errors:
            return
        unseen = self._errors[0]
        if len(self._errors) > 1:
            unseen = ExceptionGroup("the application failed in the background", self._errors)
        if error is None:
            raise unseen
        if error.__cause__ is None:
            error.__cause__ = unseen

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> HttpResponse:
        """Send one request to a path (with its query) and wait for the whole answer.

        Raises the application's error if that came before the answer was complete, `AsgiError` if
        the application ended without an answer.
        """
        exchange = _Exchange(body)
        scope = _http_scope(method, target, headers, len(body), self._lifespan.state)
        task = asyncio.ensure_future(self._run(scope, exchange))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await exchange.response
        finally:
            exchange.leave()

    async def _run(self, scope: dict[str, Any], exchange: _Exchange) -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - it goes on to whoever waits, or to __aexit__
            if not exchange.fail(error):
                self._errors.append(error)
        finally:
            exchange.fail(AsgiError("the application ended without a complete answer"))

    async def _end_background(self) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self._grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class _Exchange:
    """The two ends of one request: what the application receives, and what it sends."""

    def __init__(self, body: bytes) -> None:
        self.response: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        self._unread: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._expected = "http.response.start"
        self._start: Message = {}
        self._chunks: list[bytes] = []
        self._over = asyncio.Event()

    async def receive(self) -> Message:
        """The body, then nothing until the answer is complete and the client is gone."""
        if self._unread is not None:
            message, self._unread = self._unread, None
            return message
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take the start of the answer, then its body, piece by piece."""
        if message["type"] != self._expected:
            raise AsgiError(
                f"unexpected message {message['type']!r} of the application, "
                f"expected {self._expected!r}"
            )
        if message["type"] == "http.response.start":
            self._start, self._expected = message, "http.response.body"
            return
        self._chunks.append(bytes(message.get("body", b"")))
        if not message.get("more_body", False):
            self._expected = "nothing more"
            self._complete()

    def leave(self) -> None:
        """The client is gone: from now on the application receives a disconnect."""
        self._over.set()

    def fail(self, error: Exception) -> bool:
        """End the wait for an answer by an error; false when nobody waits any more."""
        if self.response.done():
            return False
        self.response.set_exception(error)
        return True

    def _complete(self) -> None:
        if self.response.done():  # nobody waits any more
            return
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in self._start.get("headers", ())
        )
        status = int(self._start["status"])
        self.response.set_result(HttpResponse(status, headers, b"".join(self._chunks)))


class _Lifespan:
    """The application's start and stop; an application that has neither is taken as started."""

    def __init__(self, app: AsgiApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    async def start(self) -> None:
        """Raises `AsgiError` when the application says that it failed."""
        self._task = asyncio.ensure_future(self._run())
        try:
            await self._ask("startup")
        except BaseException:
            await self._end(self._task)
            raise

    async def stop(self) -> None:
        """Raises `AsgiError` when the application says that it failed."""
        assert self._task is not None  # start() came before
        try:
            if not self._task.done():
                await self._ask("shutdown")
        finally:
            await self._end(self._task)

    async def _end(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _ask(self, event: str) -> None:
        self._events.put_nowait(f"lifespan.{event}")
        answer = await self._answers.get()
        if answer is not None and answer["type"] != f"lifespan.{event}.complete":
            reason = (
                repr(self._error) if self._error else answer.get("message") or "no reason given"
            )
            raise AsgiError(f"{event} of the application failed: {reason}") from self._error

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": _VERSIONS, "state": self.state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - before an answer it means: no lifespan here
            self._error = error
        self._answers.put_nowait(None)

    async def _receive(self) -> Message:
        return {"type": await self._events.get()}

    async def _send(self, message: Message) -> None:
        if not message["type"].startswith("lifespan."):
            raise AsgiError(f"unexpected message {message['type']!r} in the lifespan")
        self._answers.put_nowait(message)


def _http_scope(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    length: int,
    state: dict[str, Any],
) -> dict[str, Any]:
    parts = urlsplit(target)
    given = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"content-length", b"%d" % length), *given],
        "client": ("127.0.0.1", 49152),
        "server": ("127.0.0.1", 80),
        "state": state.copy(),
    }

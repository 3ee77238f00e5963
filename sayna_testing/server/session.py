"""A session as a test sees it: what the agent sent, and what the other side does to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sayna_testing.expectations import Pattern, Text, failure, only_ours
from sayna_testing.server.awaiting import until
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.rooms import Room
from sayna_testing.server.ws.connection import Connection

__tracebackhide__ = only_ours

DEFAULT_TIMEOUT = 5.0
"""Seconds on the test's clock that a wait lasts unless told otherwise."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a transcript: the pieces the agent got, and why others were swallowed.

    True when the final arrived; its text is `str()` of this.
    """

    interims: tuple[str, ...]
    final: str | None
    dropped: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.final is not None

    def __str__(self) -> str:
        return self.final or ""


class Session:
    """One WebSocket session of an agent with the fake: waits for what it sends, acts on it.

    Waits miss nothing: each looks at the journal from the last match of its kind on. All methods
    may be awaited from any loop of any thread, or handed to `FakeSaynaServer.run`.
    """

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal
        self._seen: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Session {self.key} {'closed' if self.closed else 'open'}>"

    @property
    def key(self) -> str:
        """The name of this session in the journal: `ws-1`, `ws-2` and so on."""
        return self._connection.key

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that serves this session."""
        return self._connection.loop

    @property
    def config(self) -> dict[str, Any]:
        """The last config the agent sent, as it was accepted, defaults filled in.

        Raises LookupError while there is none.
        """
        if self._connection.config is None:
            raise LookupError(f"session {self.key} has sent no config yet")
        return self._connection.config

    @property
    def room(self) -> Room | None:
        """The room Sayna joined for this session, None on a plain one."""
        return self._connection.room

    @property
    def closed(self) -> bool:
        """Whether the socket has ended."""
        return self._connection.ended

    @property
    def journal(self) -> Journal:
        """The journal of the whole server."""
        return self._journal

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the journal holds about this session."""
        return tuple(entry for entry in self._journal if entry.session == self.key)

    # What the agent does

    async def wait_for_speech(
        self,
        text: str | None = None,
        *,
        contains: Pattern | None = None,
        matches: Pattern | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> str:
        """The text of the next `speak` that is `text`, contains or matches what was asked.

        `contains` ignores case. `timeout` is in seconds of the test's clock. Raises
        ExpectationError when no such `speak` came.
        """
        wanted = Text(equals=text, contains=contains, matches=matches)
        entry = await self.wait_for(
            "speak",
            lambda e: wanted(str(e.data["text"])),
            timeout=timeout,
            expected=f"speak {wanted}".rstrip(),
            reason=lambda e: "; ".join(wanted.reasons(str(e.data["text"]))),
        )
        return str(entry.data["text"])

    async def wait_for_clear(self, *, timeout: float = DEFAULT_TIMEOUT) -> Entry:
        """The next `clear`; raises ExpectationError when none came in `timeout` seconds."""
        return await self.wait_for("clear", timeout=timeout)

    async def wait_for_close(self, *, timeout: float = DEFAULT_TIMEOUT) -> Entry:
        """The end of the socket; raises ExpectationError when it is still open after `timeout`."""
        return await self._first(lambda e: e.kind == "close", 0, timeout, "the session to end")

    async def wait_for_completion(self, *, timeout: float = DEFAULT_TIMEOUT) -> Entry:
        """What ended the speech matched last: its completion, a `clear`, the end of the session."""
        return await self._first(
            lambda e: e.kind in ("tts_playback_complete", "clear", "close"),
            self._seen.get("speak", 0),
            timeout,
            "speech to be delivered",
        )

    async def wait_for(
        self,
        kind: str,
        check: Callable[[Entry], bool] | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        expected: str = "",
        reason: Callable[[Entry], str] | None = None,
    ) -> Entry:
        """The first message of this kind from the agent after the last match that passes `check`.

        `kind` is a frame's `type`, or `audio` for a binary frame. `timeout` is in seconds of the
        test's clock. `expected` and `reason` put the error into words. Raises ExpectationError
        when none came.
        """

        def match(entry: Entry) -> bool:
            return entry.kind == kind and entry.flow == ">" and (check is None or check(entry))

        start = self._seen.get(kind, 0)
        entry = await self._first(match, start, timeout, expected or kind, kind, reason)
        self._seen[kind] = entry.index + 1
        return entry

    async def _first(
        self,
        match: Callable[[Entry], bool],
        start: int,
        limit: float,
        expected: str,
        kind: str = "",
        reason: Callable[[Entry], str] | None = None,
    ) -> Entry:
        words = f"{expected} within {limit:g} s"

        def unmet() -> Exception:
            candidates = [e for e in self.entries[::-1] if e.kind == kind and e.index >= start]
            nearest = candidates[0] if candidates else None
            why = reason(nearest) if reason and nearest else ""
            return failure(words, self.entries, nearest=nearest, reason=why)

        return await until(
            self._journal,
            lambda entry: entry.session == self.key and match(entry),
            expected=words,
            timeout=limit,
            unmet=unmet,
            start=start,
        )

    # What the other side does

    async def transcribe(
        self,
        text: str,
        *,
        wpm: float | None = None,
        confidence: float = 0.98,
        speech_final: bool = True,
    ) -> Delivered:
        """Let the agent's speech recognition hear `text`: interims word by word, then a final.

        Instant, or at `wpm` words a minute. Returns what was delivered: the real server swallows
        results during protected speech (websocket.md 7.2 and 8.2).
        """
        words = text.split()
        interims: list[str] = []
        dropped: list[str] = []
        for count in range(1, len(words) + 1):
            if wpm is not None:
                await asyncio.sleep(60 / wpm)
            interim = " ".join(words[:count])
            why = await self.recognised(interim, is_final=False, confidence=confidence)
            interims.append(interim) if why is None else dropped.append(why)
        why = await self.recognised(
            text, is_final=True, is_speech_final=speech_final, confidence=confidence
        )
        if why is not None:
            dropped.append(why)
        return Delivered(tuple(interims), None if why else text, tuple(dropped))

    async def recognised(
        self,
        transcript: str,
        *,
        is_final: bool,
        is_speech_final: bool = False,
        confidence: float = 0.98,
    ) -> str | None:
        """Let the speech recognition provider report one result, as websocket.md 8 treats it.

        Returns None when the agent was given it, else why it was swallowed.
        """
        return await self.act(
            lambda: self._connection.provider_result(
                transcript,
                is_final=is_final,
                is_speech_final=is_speech_final,
                confidence=confidence,
            )
        )

    async def recognition_fails(self, error: str) -> None:
        """Break the speech recognition, which stays broken (websocket.md 8.5).

        `error` is e.g. `Network error: WebSocket error: ...`; the agent gets its `error` frame.
        """
        await self.act(lambda: self._connection.stt_failure(error))

    async def speech_fails(self, error: str, *, after: int = 0) -> None:
        """Let the synthesis of the next text fail, after so many bytes of audio (websocket.md 6.4).

        `error` is e.g. `Provider error: API error (401 Unauthorized): no`.
        """
        await self.act(lambda: self._connection.tts_fail_next(error, after=after))

    async def push(self, frame: dict[str, Any]) -> None:
        """Send the agent a JSON frame of the test's own making."""
        await self.act(lambda: self._connection.push(frame))

    async def push_raw(self, data: str | bytes) -> None:
        """Send the agent a text or binary frame as it is."""
        await self.act(lambda: self._connection.push_raw(data))

    async def send_error(self, message: str) -> None:
        """Send the agent an `error` frame."""
        await self.push({"type": "error", "message": message})

    async def close(self, code: int | None = None) -> None:
        """End the session from the server's side: a Close frame, without a code by default.

        The real server ends a session so when a participant leaves (websocket.md 9.4).
        """
        await self.act(lambda: self._connection.close(code))

    async def drop(self) -> None:
        """Cut the connection without a Close frame."""
        await self.act(self._connection.abort)

    def cut(self) -> None:
        """Drop and forget it, from any thread, without waiting; harmless when it has ended."""
        self._connection.disown()
        with contextlib.suppress(RuntimeError):  # its loop is closed, and so is the socket
            self.loop.call_soon_threadsafe(self._connection.abort)

    async def act(self, function: Callable[[], T]) -> T:
        """Call `function` in the loop of the session, from whichever loop this is awaited in."""
        if asyncio.get_running_loop() is self.loop:
            return function()
        future: Future[T] = Future()

        def call() -> None:
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self.loop.call_soon_threadsafe(call)
        return await asyncio.wrap_future(future)

"""The journal: what crossed the wire or happened around it, in order, without secrets."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

Flow: TypeAlias = Literal[">", "<", "*"]
"""Who did it: `>` the client sent it, `<` the server sent it, `*` the world around them."""

JSONObject: TypeAlias = dict[str, Any]
Match: TypeAlias = Callable[["Entry"], bool]

_HIDDEN = "***"
_DEEPER = "..."
_LEVELS = 50
_SECRET_KEYS = frozenset(
    {
        "api_key",
        "apikey",
        "auth_password",
        "authorization",
        "cookie",
        "credentials",
        "password",
        "private_key",
        "secret",
        "token",
        "x-sayna-signature",
    }
)


class _Steady:
    """The real monotonic clock, kept in a class so that a frozen test cannot replace it."""

    monotonic = staticmethod(time.monotonic)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    `at` is in seconds since the first entry, on the clock of the loop that saw it. `kind` is a
    frame's own `type`, `audio` for binary frames, `malformed` for text that did not parse, `open`
    and `close` for a socket, `http` for a REST exchange, `webhook` for a posted webhook. `dropped`
    says why the server swallowed it, `error` that the server answered it with an error.
    """

    index: int
    at: float
    session: str
    flow: Flow
    kind: str
    data: JSONObject = field(default_factory=dict[str, Any])
    audio: bytes | None = field(default=None, repr=False)
    dropped: str | None = None
    error: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Something a test waited for, from `start` to `end` in seconds of the journal."""

    expected: str
    start: float
    end: float
    met: bool


class Journal:
    """An append-only record that any thread may write, read and wait on."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # what waits look for may be looked up here
        self._entries: list[Entry] = []
        self._waiters: list[tuple[Match, Future[Entry]]] = []
        self._waits: list[Wait] = []
        self._start: float | None = None
        self._zero: dict[int, float] = {}

    def record(
        self,
        kind: str,
        *,
        flow: Flow,
        session: str = "",
        data: Mapping[str, Any] | None = None,
        audio: bytes | None = None,
        dropped: str | None = None,
        error: bool = False,
    ) -> Entry:
        """Append an entry and wake who waits for it; secrets are replaced by `***`."""
        visible = redact(data) if data else {}
        with self._lock:
            entry = Entry(
                len(self._entries), self._now(), session, flow, kind, visible, audio, dropped, error
            )
            self._entries.append(entry)
            due = self._due(entry) if self._waiters else []
        for future, met in due:
            if future.done():  # pragma: no cover - who waits may give up in another thread
                continue
            if isinstance(met, Exception):
                future.set_exception(met)
            else:
                future.set_result(entry)
        return entry

    def _due(self, entry: Entry) -> list[tuple[Future[Entry], bool | Exception]]:
        """Whose wait ends with an entry; a match that raises fails its own wait, not the server."""
        verdicts = [(waiter, _verdict(waiter[0], entry)) for waiter in tuple(self._waiters)]
        due = [(waiter, met) for waiter, met in verdicts if met]
        for waiter, _ in due:
            self._waiters.remove(waiter)
        return [(future, met) for (_, future), met in due]

    @property
    def now(self) -> float:
        """The time an entry would get if it were recorded here and now, in seconds."""
        with self._lock:
            return self._now()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything so far, oldest first."""
        with self._lock:
            return tuple(self._entries)

    @property
    def waits(self) -> tuple[Wait, ...]:
        """What tests waited for here, in the order in which the waits ended."""
        with self._lock:
            return tuple(self._waits)

    @contextmanager
    def waiting(self, expected: str) -> Generator[None]:
        """Remember a wait: met when the block ends, not met when it fails."""
        start = self.now
        try:
            yield
        except Exception:
            self._waited(Wait(expected, start, self.now, met=False))
            raise
        self._waited(Wait(expected, start, self.now, met=True))

    def since(self, index: int) -> tuple[Entry, ...]:
        """The entries from number `index` on."""
        with self._lock:
            return tuple(self._entries[index:])

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self._entries)

    def first(self, match: Match, *, start: int = 0) -> Future[Entry]:
        """The first match from number `start` on: at once if it is there, else when it comes."""
        future: Future[Entry] = Future()
        with self._lock:
            found = next((entry for entry in self._entries[start:] if match(entry)), None)
            if found is None:
                self._waiters.append((match, future))
        if found is not None:
            future.set_result(found)
        return future

    def forget(self, future: Future[Entry]) -> None:
        """Stop looking on behalf of a wait that was given up."""
        with self._lock:
            self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]
        future.cancel()

    def clear(self) -> None:
        """Start again with an empty record; waits go on waiting."""
        with self._lock:
            self._entries.clear()
            self._waits.clear()
            self._start = None
            self._zero.clear()

    def _waited(self, wait: Wait) -> None:
        with self._lock:
            self._waits.append(wait)

    def _now(self) -> float:
        """Seconds since the first entry; each loop keeps its own clock, aligned when first seen."""
        loop = asyncio._get_running_loop()  # get_running_loop, but None outside of one
        zero = self._zero.get(id(loop))
        if zero is not None and loop is not None:
            return round(loop.time() - zero, 6)
        steady = _Steady.monotonic()
        if self._start is None:
            self._start = steady
        since = steady - self._start
        if loop is not None:
            self._zero[id(loop)] = loop.time() - since
        return round(since, 6)


def _verdict(match: Match, entry: Entry) -> bool | Exception:
    try:
        return match(entry)
    except Exception as error:  # noqa: BLE001 - raised again where it is awaited
        return error


_IN_TEXT = re.compile(
    rf"""(["']?)\b({"|".join(map(re.escape, sorted({*_SECRET_KEYS, "auth"})))})\1\s*:\s*"""
    r"""("(?:[^"\\]|\\.)*"?|'[^']*'?|[{\[].*|[^\s,{}\[\]"']+)""",
    re.IGNORECASE | re.DOTALL,
)


def redact_text(text: str) -> str:
    """A text that should be JSON and may not be, without what stands behind secret names.

    Where an object or a list stands there, its end cannot be known: all the rest goes.
    """
    return _IN_TEXT.sub(rf"\1\2\1:{_HIDDEN}", text)


def redact(data: Mapping[str, Any], levels: int = _LEVELS) -> JSONObject:
    """A copy in which whatever stands under a secret name reads `***`, at any depth.

    What is nested deeper than `levels` reads `...`: a request may nest without limit.
    """
    return {
        key: _HIDDEN
        if key.lower() in _SECRET_KEYS and value is not None
        else _redact_value(value, levels - 1)
        for key, value in data.items()
    }


def _redact_value(value: Any, levels: int) -> Any:
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not levels:
        return _DEEPER
    if isinstance(value, Mapping):
        return redact(cast("Mapping[str, Any]", value), levels)
    return [_redact_value(item, levels - 1) for item in cast("list[Any]", value)]

"""Plays the script of a WebSocket case, line by line."""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable

from tests.server.golden.cases import expand
from tests.server.golden.matching import same
from tests.server.golden.peers import Event, Socket
from tests.server.golden.world import World

_SOON = 5.0
_PROBE = (
    '{"type":"error","message":"Invalid message format:'
    ' EOF while parsing an object at line 1 column 1"}'
)
_EARLY, _LATE = 0.01, 0.18
_TICK, _LAGS = 0.02, 4
_ON_SESSION = ("stt", "stt-fails", "tts-fails")


class LateError(AssertionError):
    """Something came too late, as it also does on a busy machine: worth another try, alone."""


class Play:
    """The WebSockets of a case, the newest one at work, and what came over it so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sockets: list[Socket] = []
        self._clips: dict[str, bytes] = {}
        self._came: deque[Event] = deque()
        self._kept: list[Event] = []
        self._unread = False
        self._mark: float | None = None
        self._acted_at = 0.0
        self._lag = 0.0
        self._ticking = asyncio.create_task(self._tick())
        self._spoken_at = 0.0
        self._playback = 0.0
        self._stray_audio = 0

    async def run(self, script: str) -> None:
        """Play all lines; at the end nothing more has come, unless the server has gone."""
        lines = script.strip("\n").split("\n")
        if not self._sockets:
            lines.insert(0, f"connect {self._world.case.connect}")
        if lines[-1] != "< dropped":
            lines.append("silence")
        for number, (line, following) in enumerate(itertools.pairwise([*lines, ""])):
            if self._sockets:  # what is sent without a pause in between arrives at once
                self._socket.holds = line.startswith("> ") and following.startswith("> ")
            try:
                async with asyncio.timeout(_SOON * 4):
                    await self._line(line)
            except (AssertionError, TimeoutError) as error:
                error.add_note(f"in line {number}: {line}")
                raise

    async def close(self) -> None:
        """Drop all connections."""
        self._ticking.cancel()
        for socket in self._sockets:
            await socket.close()

    async def _line(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if verb in (">", "*"):
            self._acted_at = time.monotonic()
            self._lag = self._lag if self._mark else 0.0
        if verb.startswith("+"):
            await self._expect_at(verb, rest)
        else:
            await _LINES[verb](self, rest)
        self._unread = verb == ">"

    async def _connect(self, path: str) -> None:
        self._sockets.append(await Socket.connect(self._world.port, path))

    async def _set_mark(self, _: str) -> None:
        self._mark = self._acted_at

    async def _allow_audio(self, what: str) -> None:
        self._stray_audio = int(what.removeprefix("audio "))

    # To the server

    async def _send(self, line: str) -> None:
        what = expand(line, self._world.fill)
        verb, _, rest = what.partition(" ")
        if verb in _SENT:
            await _SENT[verb](self, rest)
            return
        if '"type":"speak"' in what:
            self._spoken_at = time.monotonic()
        await self._socket.send(1, what.encode())

    async def _send_text(self, literal: str) -> None:
        await self._socket.send(1, json.loads(literal).encode())

    async def _send_binary(self, what: str) -> None:
        sizes = [int(size) for size in what.removeprefix("fragments ").split()]
        for place, size in enumerate(sizes):
            last = place == len(sizes) - 1
            await self._socket.send(0 if place else 2, bytes(size), fin=last)

    async def _send_ping(self, payload: str) -> None:
        await self._socket.send(9, payload.encode())

    async def _send_pong(self, payload: str) -> None:
        await self._socket.send(10, payload.encode())

    async def _send_raw(self, data: str) -> None:
        await self._socket.send_raw(bytes.fromhex(data))

    async def _send_close(self, what: str) -> None:
        code, _, reason = what.partition(" ")
        payload = int(code).to_bytes(2, "big") + reason.encode() if code else b""
        await self._socket.send(8, payload)

    async def _half_close(self, _: str) -> None:
        self._socket.half_close()

    async def _send_fragments(self, what: str) -> None:
        pieces = what.split("|")
        for place, piece in enumerate(pieces):
            if piece.startswith("ping "):
                await self._send_ping(piece.removeprefix("ping "))
            else:
                last = place == len(pieces) - 1
                await self._socket.send(0 if place else 1, piece.encode(), fin=last)

    async def _act(self, line: str) -> None:
        if self._unread:
            await self._read_so_far()
        if line.split()[0] in _ON_SESSION:
            await self._world.act_on_session(line)
        else:
            self._world.act(line)

    # From the server

    async def _expect(self, what: str) -> None:
        verb, _, rest = what.partition(" ")
        match verb:
            case "audio":
                await self._audio(rest)
            case "clip":
                assert await self._event("binary") == self._clips[rest], "not the same clip again"
            case "pong":
                assert await self._event("pong") == rest.encode()
            case "close":
                assert await self._event("close") == b"", "the only Close has no code"
            case "dropped":
                assert await self._event("dropped") == b""
            case _:
                came = (await self._event("text")).decode()
                same(expand(what, self._world.fill), came, self._world.begun)

    async def _expect_at(self, when: str, line: str) -> None:
        since = self._acted_at if self._mark is None else self._mark
        low, _, high = when.removeprefix("+").partition("..")
        verb, _, what = line.partition(" ")
        await _LINES[verb](self, what)
        passed = time.monotonic() - since
        late = _LATE + _LAGS * self._lag
        assert passed >= self._seconds(low) - _EARLY, f"came early, after {passed:.3f} s"
        if passed > self._seconds(high or low) + late:
            raise LateError(f"came late, after {passed:.3f} s")
        self._mark = None

    def _seconds(self, text: str) -> float:
        if text.startswith("playback"):
            return self._playback + float(text.removeprefix("playback"))
        return float(text)

    async def _expect_one_of(self, what: str) -> None:
        """Frames whose order is open: kept until the line that expects them."""
        for event in self._kept:
            if self._is(what, event):
                self._kept.remove(event)
                return
        while not self._is(what, event := await self._take()):
            self._kept.append(event)

    def _is(self, what: str, event: Event) -> bool:
        if what.startswith("pong "):
            return event == Event("pong", what.removeprefix("pong ").encode())
        try:
            same(expand(what, self._world.fill), event.data.decode(), self._world.begun)
        except AssertionError:
            return False
        return event.kind == "text"

    async def _audio(self, how: str) -> None:
        match how.split():
            case ["any"]:
                await self._frames()
            case ["one"]:
                assert len(await self._frames()) == 1
            case [size, "with", "clip"]:
                *frames, clip = await self._frames()
                self._check_sizes(frames, int(size), 1)
                assert b"".join(frames) == clip
            case [size, "exactly", count]:
                assert [len(frame) for frame in await self._frames()] == [int(size)] * int(count)
            case [size, "of", texts]:
                self._check_sizes(await self._frames(), int(size), int(texts))
            case [size, *name]:
                frames = await self._frames()
                self._check_sizes(frames, int(size), 1)
                assert all(len(frame) == int(size) for frame in frames[:-1])
                self._clips["".join(name)] = b"".join(frames)

    def _check_sizes(self, frames: list[bytes], size: int, texts: int) -> None:
        others = [len(frame) for frame in frames if len(frame) != size]
        assert len(others) <= texts, f"frames of {others} bytes, not of {size}"
        assert all(0 < length < size for length in others), others
        self._playback = sum(map(len, frames)) / (size * 100)

    async def _frames(self) -> list[bytes]:
        frames = [await self._event("binary")]
        while (await self._peek()).kind == "binary":
            frames.append(await self._event("binary"))
        return frames

    async def _read_so_far(self) -> None:
        """Wait until the server has read what was sent: a ping is answered in its turn."""
        await self._socket.send(9, b"so far")
        async with asyncio.timeout(_SOON):
            while (event := await self._socket.events.get()) != Event("pong", b"so far"):
                self._came.append(event)

    async def _event(self, kind: str) -> bytes:
        event = await self._take()
        assert event.kind == kind, f"expected {kind}, came {event.kind}: {event.data[:500]!r}"
        return event.data

    async def _take(self) -> Event:
        while self._stray_audio and (event := await self._peek()).kind == "binary":
            assert len(event.data) <= self._stray_audio
            self._came.popleft()
        await self._peek()
        self._stray_audio = 0
        return self._came.popleft()

    async def _peek(self) -> Event:
        if not self._came:
            async with asyncio.timeout(_SOON):
                self._came.append(await self._socket.events.get())
        return self._came[0]

    # Time, silence, and what the room heard

    async def _tick(self) -> None:
        """Measure how much later than asked this busy process gets to anything."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_TICK)
            self._lag = max(self._lag, time.monotonic() - before - _TICK)

    async def _wait(self, what: str) -> None:
        if what.startswith("playback"):
            share = float(what.removeprefix("playback") or 1)
            until = self._spoken_at + self._playback * share + 0.15
            await asyncio.sleep(max(0.0, until - time.monotonic()))
        else:
            await asyncio.sleep(float(what))

    async def _silence(self, seconds: str) -> None:
        """Nothing comes for so long, and a probe gets its own answer next."""
        await asyncio.sleep(float(seconds or 0))
        assert not self._kept, self._kept
        await self._socket.send(1, b"{")
        came = (await self._event("text")).decode()
        assert came == _PROBE, f"expected silence, came {came}"

    async def _told(self, what: str) -> None:
        kind, _, expected = what.partition(" ")
        assert kind == "data"
        async with asyncio.timeout(_SOON):
            assert await self._world.data.get() == json.loads(expected)

    @property
    def _socket(self) -> Socket:
        return self._sockets[-1]


_Line = Callable[[Play, str], Awaitable[None]]
_LINES: dict[str, _Line] = {
    "connect": Play._connect,
    ">": Play._send,
    "<": Play._expect,
    "<~": Play._expect_one_of,
    "?": Play._allow_audio,
    "*": Play._act,
    "=": Play._told,
    "wait": Play._wait,
    "silence": Play._silence,
    "mark": Play._set_mark,
}
_SENT: dict[str, _Line] = {
    "text": Play._send_text,
    "binary": Play._send_binary,
    "fragments": Play._send_fragments,
    "ping": Play._send_ping,
    "pong": Play._send_pong,
    "raw": Play._send_raw,
    "close": Play._send_close,
    "half-close": Play._half_close,
}

"""Faults on request: planned by a test or a script, met by whoever comes by (no IO here).

    with server.faults.http_status(503, retry_after=2, path="/voices"): ...
    server.faults.on("frame_dropped", frame="tts_playback_complete")

A fault hits once unless told otherwise and is spent then; `unused` names those that were not.
"""

import functools
import random
import threading
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack

from sayna_testing.server.fault_effects import (
    AudioCut,
    Closed,
    Delay,
    Dropped,
    Duplicated,
    Effect,
    FrameEffect,
    HttpEffect,
    Malformed,
    Oversize,
    ProviderEffect,
    RecogniserFails,
    RecogniserRefuses,
    Replaced,
    Reset,
    Silent,
    SpeechFails,
    Status,
    Swapped,
    Truncated,
)

WS = "/ws"
CLIENT_FRAMES = frozenset(
    {
        "config",
        "speak",
        "clear",
        "send_message",
        "sip_transfer",
        "update_config",
        "loading_start",
        "loading_stop",
        "malformed",
    }
)
FAULTS = frozenset(
    {
        "audio_cut",
        "closed",
        "completion_missing",
        "connection_delayed",
        "connection_refused",
        "frame_delayed",
        "frame_dropped",
        "frame_duplicated",
        "frame_oversize",
        "frame_truncated",
        "frames_swapped",
        "http_body",
        "http_delay",
        "http_malformed",
        "http_reset",
        "http_status",
        "http_truncated",
        "ready_late",
        "ready_missing",
        "recogniser_fails",
        "recogniser_refuses",
        "reset",
        "silent",
        "speech_fails",
    }
)
"""What `on` takes: the methods of `Faults` by name."""


class When(TypedDict, total=False):
    """How often a fault hits.

    The `nth` match is the first one hit (1), `times` are hit in all (1; None: every one), each with
    a `chance` (1.0), in a `session` (any) named as in the journal, e.g. `ws-1`.
    """

    nth: int
    times: int | None
    chance: float
    session: str | None


class Fault:
    """One planned fault; as a context manager it is taken back at the end of the block."""

    def __init__(
        self, registry: "Faults", effect: Effect, target: tuple[str | None, ...], when: When
    ) -> None:
        self.effect = effect
        self.target = target
        self.hits = 0
        self._registry = registry
        self._skip = _whole("nth", when.get("nth", 1)) - 1
        times = when.get("times", 1)
        self._left = times if times is None else _whole("times", times)
        self._chance = when.get("chance", 1.0)
        self._session = when.get("session")
        if not 0 < self._chance <= 1:
            raise ValueError(f"chance: expected above 0 and at most 1, got {self._chance!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._registry.take_back(self)

    def __str__(self) -> str:
        target = " ".join(part for part in self.target if part)
        place = f" on {target}" if target else ""
        met = f"{self.hits}" if self._left is None else f"{self.hits} of {self.hits + self._left}"
        return f"{self.effect}{place}, met {met} times"

    @property
    def unlimited(self) -> bool:
        """Whether it hits any number of times."""
        return self._left is None

    @property
    def spent(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self._left == 0

    def meets(self, target: tuple[str | None, ...], session: str, rng: random.Random) -> bool:
        """Whether it hits here and now; counts."""
        if self._session not in (None, session) or not _matches(self.target, target):
            return False
        if self._skip:
            self._skip -= 1
            return False
        if self._chance < 1 and rng.random() >= self._chance:
            return False
        self.hits += 1
        if self._left is not None:
            self._left -= 1
        return True


class Faults:
    """The faults of one server: plan them here; the server asks what it meets."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._unused: list[Fault] = []
        self.quiet = True
        """Whether nothing is planned, which is asked for every frame."""

    @functools.cached_property
    def _rng(self) -> random.Random:
        return random.Random(self._seed)

    @property
    def unused(self) -> tuple[str, ...]:
        """The faults that hit nothing, or less often than they were to."""
        with self._lock:
            left = [fault for fault in self._planned if not _done(fault)]
            return tuple(map(str, (*self._unused, *left)))

    def on(self, fault: str, **parameters: Any) -> Fault:
        """Plan a fault by name, e.g. `on("closed", code=1011)`; raises ValueError, TypeError."""
        if fault not in FAULTS:
            raise ValueError(f'fault: expected one of {", ".join(sorted(FAULTS))}, got "{fault}"')
        planned: Fault = getattr(self, fault)(**parameters)
        return planned

    def take_back(self, fault: Fault) -> None:
        """Forget a fault; one that was not used up is remembered as unused."""
        with self._lock:
            if fault in self._planned:
                self._planned.remove(fault)
                if not _done(fault):
                    self._unused.append(fault)
            self.quiet = not self._planned

    def clear(self) -> None:
        """Forget all faults, the unused ones as well."""
        with self._lock:
            self._planned.clear()
            self._unused.clear()
            self.quiet = True

    # What the server asks

    def http(self, method: str, path: str) -> list[HttpEffect]:
        """What a request meets."""
        return self._meet(("http", method, path), "")

    def frame(self, session: str, flow: Literal["<", ">"], kind: str) -> list[FrameEffect]:
        """What a frame meets that the server sends (`<`) or the client has sent (`>`)."""
        return self._meet(("frame", flow, kind), session)

    def sound(self, session: str) -> list[AudioCut]:
        """What a chunk of speech meets that goes to a room: of what meets frames, cuts."""
        return self._meet(("frame", "<", "audio"), session, AudioCut)

    def link(self, session: str, provider: str) -> list[ProviderEffect]:
        """What meets the link to a recogniser."""
        return self._meet(("link", provider), session)

    def speech(self, session: str) -> list[SpeechFails]:
        """What a synthesis meets."""
        return self._meet(("speech",), session)

    def _meet(self, target: tuple[str, ...], session: str, kind: type = object) -> list[Any]:
        if self.quiet:
            return []
        with self._lock:
            concerned = [f for f in self._planned if isinstance(f.effect, kind)]
            met = [f.effect for f in concerned if f.meets(target, session, self._rng)]
            self._planned = [fault for fault in self._planned if not fault.spent]
            self.quiet = not self._planned
        return met

    def _plan(self, effect: Effect, target: tuple[str | None, ...], when: When) -> Fault:
        fault = Fault(self, effect, target, when)
        with self._lock:
            self._planned.append(fault)
            self.quiet = False
        return fault

    # HTTP; `path` None is any path, "/ws" is the upgrade

    def http_status(
        self,
        status: int,
        *,
        path: str | None = None,
        body: str = "",
        retry_after: float | None = None,
        **when: Unpack[When],
    ) -> Fault:
        """Answer with a status instead of doing anything; `retry_after` in seconds."""
        if not 400 <= status <= 599:
            raise ValueError(f"status: expected 400 to 599, got {status!r}")
        return self._plan(Status(status, body, retry_after), ("http", None, path), when)

    def http_delay(self, seconds: float, *, path: str | None = None, **when: Unpack[When]) -> Fault:
        """Begin with a request so many seconds late."""
        return self._plan(Delay(_seconds(seconds)), ("http", None, path), when)

    def http_reset(self, *, path: str | None = None, **when: Unpack[When]) -> Fault:
        """Cut the connection instead of an answer; aiohttp tries a GET twice: give `times=2`."""
        return self._plan(Reset(), ("http", None, path), when)

    def http_malformed(self, *, path: str | None = None, **when: Unpack[When]) -> Fault:
        """Answer with half of the body, as if it were whole."""
        return self._plan(Malformed(), ("http", None, path), when)

    def http_truncated(self, *, path: str | None = None, **when: Unpack[When]) -> Fault:
        """Cut the connection in the middle of the body."""
        return self._plan(Truncated(), ("http", None, path), when)

    def http_body(
        self,
        body: str,
        *,
        content_type: str = "application/json",
        path: str | None = None,
        **when: Unpack[When],
    ) -> Fault:
        """Answer with another body behind the true status, e.g. one of the wrong type."""
        return self._plan(Replaced(body, content_type), ("http", None, path), when)

    def connection_refused(self, **when: Unpack[When]) -> Fault:
        """Cut the connection instead of an upgrade; aiohttp tries twice: give `times=2`."""
        return self.http_reset(path=WS, **when)

    def connection_delayed(self, seconds: float, **when: Unpack[When]) -> Fault:
        """Upgrade so many seconds late."""
        return self.http_delay(seconds, path=WS, **when)

    # Frames: `frame` is a type, `audio` for speech, `>audio` for what the client streams

    def frame_delayed(self, frame: str, seconds: float, **when: Unpack[When]) -> Fault:
        """Hold a frame for so many seconds, and all behind it, which then come in a burst."""
        return self._plan(Delay(_seconds(seconds)), _frame(frame), when)

    def ready_late(self, seconds: float, **when: Unpack[When]) -> Fault:
        """Send `ready` so many seconds late."""
        return self.frame_delayed("ready", seconds, **when)

    def frame_dropped(self, frame: str, **when: Unpack[When]) -> Fault:
        """Lose a frame, of either side."""
        return self._plan(Dropped(), _frame(frame), when)

    def ready_missing(self, **when: Unpack[When]) -> Fault:
        """Never send `ready`."""
        return self.frame_dropped("ready", **when)

    def completion_missing(self, **when: Unpack[When]) -> Fault:
        """Never say that speech is complete."""
        return self.frame_dropped("tts_playback_complete", **when)

    def frame_duplicated(self, frame: str, **when: Unpack[When]) -> Fault:
        """Send a frame twice."""
        return self._plan(Duplicated(), _sent(frame), when)

    def frames_swapped(self, frame: str, **when: Unpack[When]) -> Fault:
        """Send a frame behind the one that follows it."""
        return self._plan(Swapped(), _sent(frame), when)

    def frame_truncated(self, frame: str, **when: Unpack[When]) -> Fault:
        """Cut the connection in the middle of a frame."""
        return self._plan(Truncated(), _sent(frame), when)

    def frame_oversize(self, frame: str, *, size: int = 8 << 20, **when: Unpack[When]) -> Fault:
        """Send a binary frame of `size` bytes before a frame."""
        return self._plan(Oversize(_whole("size", size)), _sent(frame), when)

    def audio_cut(self, *, after: int, **when: Unpack[When]) -> Fault:
        """Lose the rest of a speech's audio behind so many bytes; the completion comes."""
        return self._plan(AudioCut(after), _sent("audio"), when)

    def closed(self, code: int | None = None, *, at: str = "ready", **when: Unpack[When]) -> Fault:
        """Close, with a code or without, instead of a frame of the server or of handling one."""
        if code is not None and not 1000 <= code <= 4999:
            raise ValueError(f"code: expected 1000 to 4999 or None, got {code!r}")
        return self._plan(Closed(code), _frame(at), when)

    def reset(self, *, at: str = "ready", **when: Unpack[When]) -> Fault:
        """Cut the connection at a frame of either side."""
        return self._plan(Reset(), _frame(at), when)

    def silent(self, *, at: str, seconds: float | None = None, **when: Unpack[When]) -> Fault:
        """Read, answer and send nothing from a frame on: for ever, or for so many seconds."""
        effect = Silent(seconds if seconds is None else _seconds(seconds))
        return self._plan(effect, _frame(at), when)

    # Providers, with the texts of websocket.md 4.2.6, 6.4 and 8.5

    def recogniser_refuses(self, *, provider: str | None = None, **when: Unpack[When]) -> Fault:
        """Refuse the link of a recogniser, which fails the config."""
        return self._plan(RecogniserRefuses(), ("link", provider), when)

    def recogniser_fails(self, text: str, *, at: str = ">audio", **when: Unpack[When]) -> Fault:
        """Fail recognition with an STTError text at a frame of either side."""
        return self._plan(RecogniserFails(text), _frame(at), when)

    def speech_fails(self, text: str, *, after: int = 0, **when: Unpack[When]) -> Fault:
        """Fail a synthesis with a TTSError text, behind `after` bytes of its audio."""
        return self._plan(SpeechFails(text, after), ("speech",), when)


def _done(fault: Fault) -> bool:
    """Whether there is nothing to report: used up, or used at all if it was for any number."""
    return fault.hits > 0 if fault.unlimited else fault.spent


def _matches(wanted: tuple[str | None, ...], target: tuple[str | None, ...]) -> bool:
    return len(wanted) == len(target) and all(
        part is None or part == came for part, came in zip(wanted, target, strict=True)
    )


def _frame(name: str) -> tuple[str, str, str]:
    """A frame of either side by its type; a type of both sides is the server's without an arrow."""
    if name[:1] in ("<", ">"):
        return "frame", name[0], name[1:]
    return "frame", ">" if name in CLIENT_FRAMES else "<", name


def _sent(name: str) -> tuple[str, str, str]:
    target = _frame(name)
    if target[1] == ">":
        raise ValueError(f'frame: expected one that the server sends, got "{name}"')
    return target


def _seconds(value: float) -> float:
    if not value >= 0:
        raise ValueError(f"seconds: expected 0 or more, got {value!r}")
    return value


def _whole(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name}: expected 1 or more, got {value!r}")
    return value

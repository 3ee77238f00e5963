"""Recordings of sessions, by stream id: the mix of what a room heard (rest.md 12)."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sayna_testing.server.media import compress
from sayna_testing.server.rooms import (
    AgentAudio,
    AgentAudioCleared,
    AgentLoop,
    AgentLoopEnded,
    ParticipantAudio,
    Room,
    RoomDeleted,
    RoomEvent,
)

SAMPLE_RATE = 24000
_AGENT = ""
_LOOP = "loading"
_SHORTEST = 0.02


@dataclass(slots=True)
class Clip:
    """16-bit little-endian mono PCM that began `start` seconds into the recording."""

    source: str
    start: float
    pcm: bytes
    sample_rate: int

    @property
    def end(self) -> float:
        """Seconds into the recording at which it is over."""
        return self.start + len(self.pcm) / 2 / self.sample_rate

    def cut(self, at: float) -> None:
        """Drop what comes after `at`."""
        kept = max(0, round((at - self.start) * self.sample_rate))
        self.pcm = self.pcm[: 2 * kept]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was heard in a room, and for how many seconds."""

    clips: tuple[Clip, ...]
    duration: float

    def mixed(self, sample_rate: int) -> bytes:
        """All that was heard as 16-bit little-endian mono PCM, silence included."""
        from sayna_testing.server.mixing import mix  # loads numpy

        return mix(self.clips, max(self.duration, _SHORTEST), sample_rate)


class Recorder:
    """Listens to a room from now on; the sound of one source never overlaps itself."""

    def __init__(
        self,
        room: Room,
        clock: Callable[[], float],
        keep: Callable[[Recording], None],
    ) -> None:
        self._room = room
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._begin = clock()
        self._clips: list[Clip] = []
        self._ends: dict[str, float] = {}
        self._running = True
        with self._lock:
            self._unsubscribe = room.subscribe(self._hear)
            self._loops = room.looping()
        room.recorders.append(self)

    def stop(self) -> None:
        """End the recording and keep it; a second stop does nothing."""
        with self._lock:
            if not self._running:
                return
            self._running = False
            self._unsubscribe()
            self._room.recorders.remove(self)
            duration = self._clock() - self._begin
            for loop in self._loops:
                self._lay(loop, duration, 0.0)
            for clip in self._clips:
                clip.cut(duration)
            recording = Recording(tuple(clip for clip in self._clips if clip.pcm), duration)
        self._keep(recording)

    def hear(self, source: str, pcm: bytes, sample_rate: int) -> None:
        """Record sound from now on that only recordings hear: 16-bit little-endian mono PCM."""
        with self._lock:
            self._add(source, self._clock() - self._begin, pcm, sample_rate)

    def _hear(self, event: RoomEvent) -> None:
        if isinstance(event, RoomDeleted):  # LiveKit ends a recording with its room
            self.stop()
            return
        with self._lock:
            now = self._clock() - self._begin
            match event:
                case ParticipantAudio():
                    self._add(event.participant.identity, now, event.pcm, event.sample_rate)
                case AgentAudio():
                    self._add(_AGENT, now, event.pcm, event.sample_rate)
                case AgentAudioCleared():
                    self._clear(now)
                case AgentLoop():
                    self._loops.add(event)
                case AgentLoopEnded():
                    self._loops.discard(event.loop)
                    self._lay(event.loop, now, event.fade)
                case _:
                    pass

    def _add(self, source: str, now: float, pcm: bytes, sample_rate: int) -> None:
        start = max(now, self._ends.get(source, 0.0))
        clip = Clip(source, start, pcm[: len(pcm) // 2 * 2], sample_rate)
        self._ends[source] = clip.end
        self._clips.append(clip)

    def _lay(self, loop: AgentLoop, now: float, fade: float) -> None:
        """Lay a loop that ends under everything else, from the begin of the recording on."""
        from sayna_testing.server.mixing import looped  # loads numpy

        start, rate = loop.since - self._begin, loop.sample_rate
        pcm = looped(loop.pcm, round((now + fade - start) * rate), round(fade * rate))
        missed = round(max(-start, 0.0) * rate)
        self._clips.append(Clip(_LOOP, max(start, 0.0), pcm[2 * missed :], rate))

    def _clear(self, now: float) -> None:
        for clip in self._clips:
            if clip.source == _AGENT:
                clip.cut(now)
        self._ends[_AGENT] = now


class Recordings:
    """The recordings of one server by stream id; a test may put OGG files of its own there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Recording | bytes] = {}
        self.failures: deque[Literal["fetch", "read"]] = deque()
        """Each makes one download fail, as the storage behind Sayna may."""

    def start(self, stream_id: str, room: Room, clock: Callable[[], float]) -> Recorder:
        """Record a room until `stop` of what is returned; `clock` is the session's `loop.time`."""
        return Recorder(room, clock, lambda recording: self.put(stream_id, recording))

    def put(self, stream_id: str, recording: Recording | bytes) -> None:
        """Keep a recording or an OGG file."""
        with self._lock:
            self._kept[stream_id] = recording

    def get(self, stream_id: str) -> Recording | bytes | None:
        """The recording of a session, None when there is none."""
        with self._lock:
            return self._kept.get(stream_id)

    def ogg(self, stream_id: str) -> bytes | None:
        """The OGG Opus file of a session; raises MediaExtraError without soundfile."""
        kept = self.get(stream_id)
        if isinstance(kept, Recording):
            kept = compress("opus", SAMPLE_RATE, kept.mixed)
            self.put(stream_id, kept)
        return kept

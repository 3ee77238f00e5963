"""The rooms of the LiveKit server behind the fake: who is in them, what is heard, who is told."""

import math
import random
import string
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

ParticipantKind = Literal["STANDARD", "INGRESS", "EGRESS", "SIP", "AGENT", "UNKNOWN"]
ParticipantState = Literal["JOINING", "JOINED", "ACTIVE", "DISCONNECTED", "UNKNOWN"]
TrackKind = Literal["audio", "video"]


class Hears(Protocol):
    """A recorder in a room."""

    def hear(self, source: str, pcm: bytes, sample_rate: int) -> None:
        """Take sound that only recordings hear."""
        ...


_ALPHABET = string.ascii_letters + string.digits


class Ids:
    """Makes the identifiers of one server; the same seed makes the same ones."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def sid(self, prefix: str) -> str:
        """A LiveKit id: `RM` room, `PA` participant, `TR` track, `SCL` call, `EV` event."""
        return f"{prefix}_{''.join(self._rng.choices(_ALPHABET, k=12))}"

    def uuid(self) -> str:
        """A UUID of version 4, lower case with hyphens."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


@dataclass(slots=True, eq=False)
class Track:
    """One published track; `muted` is what the room was told last."""

    sid: str
    kind: TrackKind
    name: str = ""
    muted: bool = False


@dataclass(slots=True, eq=False)
class Participant:
    """Somebody in a room, which gives `sid` and `joined_at` (Unix seconds) at the join."""

    identity: str
    name: str = ""
    kind: ParticipantKind = "STANDARD"
    state: ParticipantState = "ACTIVE"
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    sid: str = ""
    joined_at: int = 0
    tracks: list[Track] = field(default_factory=list[Track])

    @property
    def is_publisher(self) -> bool:
        """Whether it has published a track."""
        return bool(self.tracks)


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody joined; participants already there at a subscription are not told again."""

    room: "Room"
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody left or was removed."""

    room: "Room"
    participant: Participant


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """A participant published a track."""

    room: "Room"
    participant: Participant
    track: Track


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A participant whom Sayna called by telephone picked up."""

    room: "Room"
    participant: Participant


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A data packet; `sender` None is the server's API."""

    room: "Room"
    sender: Participant | None
    payload: bytes
    topic: str | None


@dataclass(frozen=True, slots=True)
class ParticipantAudio:
    """Sound of a participant: 16-bit little-endian mono PCM."""

    room: "Room"
    participant: Participant
    pcm: bytes
    sample_rate: int


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Sound queued on Sayna's own track: 16-bit little-endian mono PCM."""

    room: "Room"
    pcm: bytes
    sample_rate: int


@dataclass(frozen=True, slots=True)
class AgentAudioCleared:
    """Whatever of Sayna's track was not heard yet is gone."""

    room: "Room"


@dataclass(frozen=True, slots=True, eq=False)
class AgentLoop:
    """Sound that repeats on Sayna's track, under what is spoken; as `AgentAudio`.

    It began at `since`, in seconds of the clock of the loop in which she lives.
    """

    room: "Room"
    identity: str
    pcm: bytes
    sample_rate: int
    since: float


@dataclass(frozen=True, slots=True)
class AgentLoopEnded:
    """The loop fades out over `fade` seconds."""

    room: "Room"
    loop: AgentLoop
    fade: float


@dataclass(frozen=True, slots=True)
class RoomCreated:
    """A room came into being."""

    room: "Room"


@dataclass(frozen=True, slots=True)
class RoomDeleted:
    """The room is gone and everybody in it with it."""

    room: "Room"


RoomEvent = (
    RoomCreated
    | RoomDeleted
    | ParticipantJoined
    | ParticipantLeft
    | TrackPublished
    | CallAnswered
    | DataReceived
    | ParticipantAudio
    | AgentAudio
    | AgentAudioCleared
    | AgentLoop
    | AgentLoopEnded
)
Listener = Callable[[RoomEvent], None]


class _Listeners:
    """Who is told; everybody is told outside the lock, in the thread of the caller."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Return the undo, which may be called twice."""
        with self._lock:
            self._listeners.append(listener)

        def undo() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return undo

    def tell(self, event: RoomEvent) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(event)


class Room:
    """One room. Made by `Rooms.create`; a deleted room takes nobody in and tells nobody."""

    def __init__(
        self,
        name: str,
        *,
        ids: Ids,
        lock: threading.RLock,
        tell: Listener,
        max_participants: int,
        metadata: str,
    ) -> None:
        self.name = name
        self.sid = ids.sid("RM")
        self.metadata = metadata
        self.max_participants = max_participants
        self.creation_time = math.floor(time.time())
        self.recorders: list[Hears] = []
        self._loops: set[AgentLoop] = set()
        self.participants: dict[str, Participant] = {}
        self.deleted = False
        self._ids = ids
        self._lock = lock
        self._everywhere = tell
        self._listeners = _Listeners(lock)

    @property
    def active_recording(self) -> bool:
        """Whether somebody records it."""
        return bool(self.recorders)

    def present(self) -> list[Participant]:
        """Everybody in it now, in the order of their joins."""
        with self._lock:
            return list(self.participants.values())

    def looping(self) -> set[AgentLoop]:
        """What loops in it now, under what is spoken."""
        with self._lock:
            return set(self._loops)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event, in the thread that caused it; returns the undo."""
        return self._listeners.add(listener)

    def join(self, participant: Participant) -> None:
        """Take a participant in; one of the same identity is put out first, as LiveKit does."""
        with self._lock:
            if self.deleted:
                raise ValueError(f"the room {self.name!r} is deleted; nobody can join it")
            former = self.participants.pop(participant.identity, None)
            participant.sid = participant.sid or self._ids.sid("PA")
            participant.joined_at = participant.joined_at or math.floor(time.time())
            self.participants[participant.identity] = participant
        if former is not None:
            self._gone(former)
        self.tell(ParticipantJoined(self, participant))

    def leave(self, identity: str) -> None:
        """Put a participant out; an unknown identity is no error."""
        with self._lock:
            participant = self.participants.pop(identity, None)
        if participant is not None:
            self._gone(participant)

    def publish_track(self, identity: str, kind: TrackKind = "audio", *, name: str = "") -> Track:
        """Publish a track for a participant of the room."""
        participant = self._participant(identity)
        with self._lock:
            track = Track(self._ids.sid("TR"), kind, name)
            participant.tracks.append(track)
        self.tell(TrackPublished(self, participant, track))
        return track

    def send_data(self, identity: str | None, payload: bytes, topic: str | None = None) -> None:
        """Send a data packet as a participant, or (None) as the server's API."""
        sender = None if identity is None else self._participant(identity)
        self.tell(DataReceived(self, sender, payload, topic))

    def speak_audio(self, identity: str, pcm: bytes, sample_rate: int) -> None:
        """Let a participant be heard: 16-bit little-endian mono PCM."""
        self.tell(ParticipantAudio(self, self._participant(identity), pcm, sample_rate))

    def play_audio(self, pcm: bytes, sample_rate: int) -> None:
        """Queue sound on Sayna's `tts-audio` track."""
        self.tell(AgentAudio(self, pcm, sample_rate))

    def clear_audio(self) -> None:
        """Drop what of Sayna's track was not heard yet."""
        self.tell(AgentAudioCleared(self))

    def loop_audio(self, identity: str, pcm: bytes, sample_rate: int, since: float) -> AgentLoop:
        """Repeat sound on the `tts-audio` track of a Sayna, mixed with what she says."""
        loop = AgentLoop(self, identity, pcm, sample_rate, since)
        with self._lock:
            self._loops.add(loop)
        self.tell(loop)
        return loop

    def end_loop(self, loop: AgentLoop, fade: float = 0.0) -> None:
        """Fade out, over so many seconds, what `loop_audio` began."""
        with self._lock:
            self._loops.remove(loop)
        self.tell(AgentLoopEnded(self, loop, fade))

    def tell(self, event: RoomEvent) -> None:
        """Pass an event to the listeners of this room, then to those of all rooms."""
        self._listeners.tell(event)
        self._everywhere(event)

    def _gone(self, participant: Participant) -> None:
        participant.state = "DISCONNECTED"
        self.tell(ParticipantLeft(self, participant))

    def _participant(self, identity: str) -> Participant:
        with self._lock:
            participant = self.participants.get(identity)
            if participant is None:
                inside = ", ".join(map(repr, self.participants)) or "nobody"
                raise ValueError(f"no {identity!r} in the room {self.name!r}; there is {inside}")
            return participant


class Rooms:
    """All rooms of one server, in the order of their creation."""

    def __init__(self, ids: Ids, lock: threading.RLock) -> None:
        self._ids = ids
        self._lock = lock
        self._rooms: dict[str, Room] = {}
        self._listeners = _Listeners(lock)

    def get(self, name: str) -> Room | None:
        """The room of exactly this name."""
        with self._lock:
            return self._rooms.get(name)

    def all(self) -> list[Room]:
        """Every room there is now."""
        with self._lock:
            return list(self._rooms.values())

    def create(self, name: str, *, max_participants: int = 0, metadata: str = "") -> Room:
        """Return the room of this name, made now unless it is there."""
        with self._lock:
            room = self._rooms.get(name)
            if room is not None:
                return room
            room = Room(
                name,
                ids=self._ids,
                lock=self._lock,
                tell=self._listeners.tell,
                max_participants=max_participants,
                metadata=metadata,
            )
            self._rooms[name] = room
        room.tell(RoomCreated(room))
        return room

    def delete(self, name: str) -> None:
        """Delete a room, which puts everybody out; an unknown name is no error."""
        with self._lock:
            room = self._rooms.pop(name, None)
            if room is None:
                return
            room.deleted = True
            for participant in room.participants.values():
                participant.state = "DISCONNECTED"
            room.participants.clear()
        room.tell(RoomDeleted(room))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event of every room, as `Room.subscribe` does."""
        return self._listeners.add(listener)

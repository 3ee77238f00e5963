"""LiveKit's server API as Sayna calls it: the rooms of the fake, and refusals on request."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from sayna_testing.server.rooms import Participant, Room, Rooms, Track

Call = Literal[
    "create_room",
    "get_room",
    "list_rooms",
    "list_participants",
    "update_room_metadata",
    "remove_participant",
    "mute_track",
    "list_trunks",
    "create_trunk",
    "dial",
    "transfer",
]


@dataclass(frozen=True, slots=True)
class Trunk:
    """An outbound SIP trunk and the numbers it may call from; `*` is any."""

    name: str
    numbers: tuple[str, ...]


class LiveKitError(Exception):
    """LiveKit refused or could not be reached; the text is what Sayna puts behind its own words."""


class LiveKit:
    """The calls Sayna makes; every text in `refusals[call]` makes one call fail (rest.md 11).

    A refusal is worded as the client of the real server words it, e.g.
    `twirp error: twirp error: unavailable: no response from servers`.
    """

    def __init__(self, rooms: Rooms, *, remote_unmute: bool = False) -> None:
        self._rooms = rooms
        self._remote_unmute = remote_unmute
        self.refusals: dict[Call, deque[str]] = {}
        self.trunks: list[Trunk] = []

    def refuse(self, call: Call, text: str, *, times: int = 1) -> None:
        """Make the next calls of this kind fail with `text`."""
        self.refusals.setdefault(call, deque()).extend([text] * times)

    def attempt(self, call: Call) -> None:
        """Raise LiveKitError when a refusal of this call is due."""
        if waiting := self.refusals.get(call):
            raise LiveKitError(waiting.popleft())

    def create_room(self, name: str, *, max_participants: int = 0) -> Room:
        """Return the room, made unless it is there."""
        self.attempt("create_room")
        return self._rooms.create(name, max_participants=max_participants)

    def get_room(self, name: str) -> Room | None:
        """The room of this name."""
        self.attempt("get_room")
        return self._rooms.get(name)

    def list_rooms(self) -> list[Room]:
        """All rooms."""
        self.attempt("list_rooms")
        return self._rooms.all()

    def list_participants(self, name: str) -> list[Participant]:
        """Who is in a room; nobody in a room that does not exist."""
        self.attempt("list_participants")
        room = self._rooms.get(name)
        return [] if room is None else list(room.participants.values())

    def update_room_metadata(self, room: Room, metadata: str) -> None:
        """Replace the metadata of a room."""
        self.attempt("update_room_metadata")
        room.metadata = metadata

    def remove_participant(self, room: str, identity: str) -> None:
        """Put somebody out."""
        self.attempt("remove_participant")
        if found := self._rooms.get(room):
            found.leave(identity)

    def mute_track(self, room: str, identity: str, sid: str, *, muted: bool) -> Track | None:
        """Mute a track; None when the participant has no such track (rest.md 11)."""
        self.attempt("mute_track")
        found = self._rooms.get(room)
        participant = found and found.participants.get(identity)
        if not participant:
            raise LiveKitError("twirp error: twirp error: unavailable: no response from servers")
        if not muted and not self._remote_unmute:
            raise LiveKitError(
                "twirp error: twirp error: failed_precondition: remote unmute not enabled"
            )
        track = next((track for track in participant.tracks if track.sid == sid), None)
        if track is not None:
            track.muted = muted
        return track

    def trunk_from(self, number: str) -> Trunk:
        """The trunk that may call from a number, made when there is none (rest.md 14.2)."""
        self.attempt("list_trunks")
        for trunk in self.trunks:
            if number in trunk.numbers or "*" in trunk.numbers:
                return trunk
        self.attempt("create_trunk")
        made = Trunk(f"sayna-outbound-{number}", (number,))
        self.trunks.append(made)
        return made

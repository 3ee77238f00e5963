"""LiveKit's server API as Sayna calls it: the rooms of the fake, and refusals on request."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sayna_testing.server.rooms import Participant, Room, Rooms, Track

Call = Literal[
    "CreateRoom",
    "ListRooms",
    "UpdateRoomMetadata",
    "ListParticipants",
    "RemoveParticipant",
    "MutePublishedTrack",
    "Join",
    "PublishTrack",
    "ListSIPOutboundTrunk",
    "CreateSIPOutboundTrunk",
    "CreateSIPParticipant",
    "TransferSIPParticipant",
]

_SIP_ANSWERS: Mapping[Call, tuple[str, str]] = {
    "ListSIPOutboundTrunk": ("LiveKit SIP list outbound trunk", "list"),
    "CreateSIPOutboundTrunk": ("LiveKit SIP create outbound trunk", "create trunk"),
    "CreateSIPParticipant": ("LiveKit SIP create participant", "create participant"),
    "TransferSIPParticipant": ("LiveKit SIP transfer", "transfer"),
}


@dataclass(frozen=True, slots=True)
class Trunk:
    """An outbound SIP trunk and the numbers it may call from; `*` is any."""

    name: str
    numbers: tuple[str, ...]


class LiveKitError(Exception):
    """LiveKit refused or could not be reached; the text is what Sayna puts behind its own words."""


def refusal(code: str, msg: str) -> str:
    """How Sayna words a refusal of a call on rooms or participants (rest.md 11)."""
    return f"twirp error: twirp error: {code}: {msg}"


def sip_refusal(call: Call, status: str, body: str) -> str:
    """How Sayna words a refusal of a SIP call; `status` is e.g. `404 Not Found` (rest.md 14.2)."""
    return f"{_SIP_ANSWERS[call][0]} returned {status}: {body}"


def unreachable(call: Call, text: str) -> str:
    """How Sayna words a call that got no answer; `text` is the HTTP client's."""
    if call in _SIP_ANSWERS:
        return f"Failed to send {_SIP_ANSWERS[call][1]} request: {text}"
    return f"twirp error: failed to execute the request: {text}"


class LiveKit:
    """The calls Sayna makes; every text in `refusals[call]` makes one call fail (rest.md 11)."""

    def __init__(self, rooms: Rooms, *, remote_unmute: bool = False) -> None:
        self._rooms = rooms
        self._remote_unmute = remote_unmute
        self.refusals: dict[Call, deque[str]] = {}
        self.trunks: list[Trunk] = []

    def refuse(self, call: Call, text: str, *, times: int = 1) -> None:
        """Make the next calls of this kind fail; the functions above make the texts."""
        self.refusals.setdefault(call, deque()).extend([text] * times)

    def attempt(self, call: Call) -> None:
        """Raise LiveKitError when a refusal of this call is due."""
        if waiting := self.refusals.get(call):
            raise LiveKitError(waiting.popleft())

    def create_room(self, name: str, *, max_participants: int = 0) -> Room:
        """Return the room, made unless it is there."""
        self.attempt("CreateRoom")
        return self._rooms.create(name, max_participants=max_participants)

    def get_room(self, name: str) -> Room | None:
        """The room of this name."""
        self.attempt("ListRooms")
        return self._rooms.get(name)

    def list_rooms(self) -> list[Room]:
        """All rooms."""
        self.attempt("ListRooms")
        return self._rooms.all()

    def list_participants(self, name: str) -> list[Participant]:
        """Who is in a room; nobody in a room that does not exist."""
        self.attempt("ListParticipants")
        room = self._rooms.get(name)
        return [] if room is None else room.present()

    def update_room_metadata(self, room: Room, metadata: str) -> None:
        """Replace the metadata of a room."""
        self.attempt("UpdateRoomMetadata")
        room.metadata = metadata

    def remove_participant(self, room: str, identity: str) -> None:
        """Put somebody out."""
        self.attempt("RemoveParticipant")
        if found := self._rooms.get(room):
            found.leave(identity)

    def mute_track(self, room: str, identity: str, sid: str, *, muted: bool) -> Track | None:
        """Mute a track; None when the participant has no such track (rest.md 11)."""
        self.attempt("MutePublishedTrack")
        found = self._rooms.get(room)
        participant = found and found.participants.get(identity)
        if not participant:
            raise LiveKitError(refusal("unavailable", "no response from servers"))
        if not muted and not self._remote_unmute:
            raise LiveKitError(refusal("failed_precondition", "remote unmute not enabled"))
        track = next((track for track in participant.tracks if track.sid == sid), None)
        if track is not None:
            track.muted = muted
        return track

    def trunk_from(self, number: str) -> Trunk:
        """The trunk that may call from a number, made when there is none (rest.md 14.2)."""
        self.attempt("ListSIPOutboundTrunk")
        for trunk in self.trunks:
            if number in trunk.numbers or "*" in trunk.numbers:
                return trunk
        self.attempt("CreateSIPOutboundTrunk")
        made = Trunk(f"sayna-outbound-{number}", (number,))
        self.trunks.append(made)
        return made

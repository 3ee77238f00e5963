"""What happens in the rooms, as entries of the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sayna_testing.server.journal import Journal
from sayna_testing.server.rooms import (
    AgentAudio,
    AgentAudioCleared,
    AgentLoop,
    AgentLoopEnded,
    CallAnswered,
    DataReceived,
    ParticipantAudio,
    ParticipantJoined,
    ParticipantLeft,
    RoomCreated,
    RoomDeleted,
    RoomEvent,
    TrackPublished,
)


def note_rooms(journal: Journal) -> Callable[[RoomEvent], None]:
    """A listener that writes every event of every room down."""

    def note(event: RoomEvent) -> None:
        kind, facts = _KINDS[type(event)]
        audio = event.pcm if isinstance(event, AgentAudio | ParticipantAudio) else None
        data = {"room": event.room.name, **facts(event)}
        journal.record(kind, flow="*", data=data, audio=audio)

    return note


def _data(event: DataReceived) -> dict[str, Any]:
    identity = event.sender.identity if event.sender else None
    text = event.payload.decode(errors="replace")
    return {"identity": identity, "topic": event.topic, "text": text}


def _track(event: TrackPublished) -> dict[str, Any]:
    return {
        "identity": event.participant.identity,
        "track": event.track.kind,
        "sid": event.track.sid,
    }


def _call(event: CallAnswered) -> dict[str, Any]:
    callee = event.participant
    return {
        "identity": callee.identity,
        "to": callee.attributes["sip.phoneNumber"],
        "sid": callee.sid,
    }


_KINDS: dict[type[RoomEvent], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    RoomCreated: ("room_created", lambda _: {}),
    RoomDeleted: ("room_deleted", lambda _: {}),
    ParticipantJoined: (
        "participant_joined",
        lambda e: {"identity": e.participant.identity, "participant_kind": e.participant.kind},
    ),
    ParticipantLeft: ("participant_left", lambda e: {"identity": e.participant.identity}),
    TrackPublished: ("track_published", _track),
    CallAnswered: ("call_answered", _call),
    DataReceived: ("room_data", _data),
    ParticipantAudio: (
        "caller_audio",
        lambda e: {"identity": e.participant.identity, "sample_rate": e.sample_rate},
    ),
    AgentAudio: ("room_audio", lambda e: {"sample_rate": e.sample_rate}),
    AgentAudioCleared: ("room_audio_cleared", lambda _: {}),
    AgentLoop: ("room_loop", lambda e: {"identity": e.identity}),
    AgentLoopEnded: ("room_loop_ended", lambda e: {"identity": e.loop.identity}),
}

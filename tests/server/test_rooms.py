import random
import threading

import pytest

from sayna_testing.server.livekit import LiveKit
from sayna_testing.server.rooms import (
    AgentAudio,
    AgentAudioCleared,
    DataReceived,
    Ids,
    Participant,
    ParticipantAudio,
    ParticipantJoined,
    ParticipantLeft,
    Room,
    RoomCreated,
    RoomDeleted,
    RoomEvent,
    Rooms,
    TrackPublished,
)


def make_rooms(seed: int = 0) -> Rooms:
    return Rooms(Ids(random.Random(seed)), threading.RLock())


def room_with(*identities: str) -> Room:
    room = make_rooms().create("r")
    for identity in identities:
        room.join(Participant(identity))
    return room


def test_everything_in_a_room_is_told_in_order() -> None:
    rooms = make_rooms()
    everywhere: list[RoomEvent] = []
    inside: list[RoomEvent] = []
    rooms.subscribe(everywhere.append)
    room = rooms.create("r")
    unsubscribe = room.subscribe(inside.append)
    ann = Participant("ann", "Ann")
    room.join(ann)
    track = room.publish_track("ann", "video", name="camera")
    room.send_data("ann", b"hi", "chat")
    room.send_data(None, b"\xff")
    room.speak_audio("ann", b"\x00\x00", 8000)
    room.play_audio(b"\x01\x00", 24000)
    room.clear_audio()
    room.leave("ann")
    told = [
        ParticipantJoined(room, ann),
        TrackPublished(room, ann, track),
        DataReceived(room, ann, b"hi", "chat"),
        DataReceived(room, None, b"\xff", None),
        ParticipantAudio(room, ann, b"\x00\x00", 8000),
        AgentAudio(room, b"\x01\x00", 24000),
        AgentAudioCleared(room),
        ParticipantLeft(room, ann),
    ]
    assert inside == told
    unsubscribe()
    unsubscribe()
    rooms.delete("r")
    assert inside == told
    assert everywhere == [RoomCreated(room), *told, RoomDeleted(room)]


def test_ids_look_like_livekits_and_depend_on_the_seed_alone() -> None:
    def sids(seed: int) -> list[str]:
        room = make_rooms(seed).create("r")
        ann = Participant("ann")
        room.join(ann)
        return [room.sid, ann.sid, room.publish_track("ann").sid]

    assert sids(1) == sids(1) != sids(2)
    assert [sid[:3] for sid in sids(1)] == ["RM_", "PA_", "TR_"]
    assert all(len(sid) == 15 for sid in sids(1))


def test_same_identity_puts_the_former_one_out() -> None:
    room = room_with("ann")
    former = room.participants["ann"]
    events: list[RoomEvent] = []
    room.subscribe(events.append)
    ann = Participant("ann", sid="PA_mine", joined_at=7)
    room.join(ann)
    assert events == [ParticipantLeft(room, former), ParticipantJoined(room, ann)]
    assert (former.state, ann.state) == ("DISCONNECTED", "ACTIVE")
    assert (ann.sid, ann.joined_at) == ("PA_mine", 7)


def test_creating_a_room_again_returns_it_unchanged() -> None:
    rooms = make_rooms()
    events: list[RoomEvent] = []
    first = rooms.create("r", max_participants=3, metadata="m")
    rooms.subscribe(events.append)
    assert rooms.create("r", metadata="other") is first
    assert (first.metadata, first.max_participants, events) == ("m", 3, [])


def test_deleted_room_puts_everybody_out_and_takes_nobody_in() -> None:
    rooms = make_rooms()
    room = rooms.create("r")
    ann = Participant("ann")
    room.join(ann)
    rooms.delete("r")
    rooms.delete("r")
    assert (rooms.get("r"), rooms.all(), ann.state) == (None, [], "DISCONNECTED")
    with pytest.raises(ValueError, match="the room 'r' is deleted"):
        room.join(Participant("bob"))
    assert rooms.create("r") is not room


def test_leaving_twice_is_told_once() -> None:
    room = room_with("ann")
    events: list[RoomEvent] = []
    room.subscribe(events.append)
    room.leave("ann")
    room.leave("ann")
    assert len(events) == 1


def test_acting_for_somebody_absent_says_who_is_there() -> None:
    with pytest.raises(ValueError, match="no 'bob' in the room 'r'; there is 'ann', 'cy'"):
        room_with("ann", "cy").publish_track("bob")
    with pytest.raises(ValueError, match="there is nobody"):
        room_with().send_data("bob", b"")


def test_uuid_is_of_version_four() -> None:
    made = Ids(random.Random(3)).uuid()
    assert (made[14], made[19] in "89ab", made.count("-"), made) == ("4", True, 4, made.lower())


def test_removing_somebody_from_a_room_that_is_gone_is_no_error() -> None:
    rooms = make_rooms()
    LiveKit(rooms).remove_participant("gone", "ann")
    assert rooms.all() == []


def test_many_threads_at_once_lose_nothing() -> None:
    rooms = make_rooms()
    joined: list[str] = []
    rooms.subscribe(
        lambda event: (
            joined.append(event.participant.identity)
            if isinstance(event, ParticipantJoined)
            else None
        )
    )

    def work(thread: int) -> None:
        for number in range(100):
            room = rooms.create("r")
            room.join(Participant(f"{thread}-{number}"))
            room.publish_track(f"{thread}-{number}")
            room.present()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (room,) = rooms.all()
    assert len(room.present()) == len(joined) == 800
    sids = {participant.sid for participant in room.present()}
    tracks = {track.sid for participant in room.present() for track in participant.tracks}
    assert len(sids) == len(tracks) == 800

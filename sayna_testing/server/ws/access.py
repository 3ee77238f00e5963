"""Getting into a room, and who may be transferred out of it (websocket.md 4.2.6 K1 to K6, 4.7)."""

from sayna_testing.server.livekit import Call, LiveKitError
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.serde import quoted
from sayna_testing.server.state import ServerState
from sayna_testing.server.tenancy import (
    MAX_PARTICIPANTS,
    ConnectionFailedError,
    ForeignRoomError,
    RoomNotFoundError,
    find_room,
    list_participants,
    owner,
    prepare_room,
)
from sayna_testing.server.ws.refusals import Refused

NO_LIVEKIT_KEYS = "LiveKit room handler not initialized. Check API keys configuration."


def ensure_room(state: ServerState, name: str, auth_id: str) -> Room:
    """Find or make the room of a config and claim it for a tenant; raises Refused (K1 to K5)."""
    if state.settings.livekit is None:
        raise Refused(NO_LIVEKIT_KEYS)
    if auth_id:
        return _tenant_room(state, name, auth_id)
    try:
        room = state.livekit.get_room(name)
    except LiveKitError as error:
        raise _creation_failed(f"Failed to check room: {error}") from None
    try:
        return room or state.livekit.create_room(name, max_participants=MAX_PARTICIPANTS)
    except LiveKitError as error:
        raise _creation_failed(f"Failed to create room: {error}") from None


def _creation_failed(text: str) -> Refused:
    return Refused(f"Failed to create room: ConnectionFailed({quoted(text)})")


def _tenant_room(state: ServerState, name: str, auth_id: str) -> Room:
    try:
        prepare_room(state.livekit, name, auth_id)
    except ForeignRoomError:
        raise Refused(f"Access denied: room '{name}' belongs to a different tenant") from None
    except RoomNotFoundError:
        raise Refused(
            f"Failed to create room '{name}': room not found after creation attempt"
        ) from None
    except ConnectionFailedError as error:
        text = f"Failed to prepare room: ConnectionFailed({quoted(str(error))})"
        raise Refused(text) from None
    return state.rooms.create(name)


def check_token(room_name: str, identity: str) -> None:
    """Refuse a token that names nobody or no room (K6)."""
    if room_name and identity:
        return
    raise Refused(
        'Failed to generate agent token: ConnectionFailed("Failed to generate agent token with SIP'
        " grants: invalid claims: token grants room_join but doesn't have an identity or room\")"
    )


def enter_room(state: ServerState, *, publishes: bool) -> None:
    """Connect Sayna to the room, with its track in an audio session; raises Refused (K7)."""
    attempts: list[tuple[Call, str]] = [("Join", "connect to LiveKit room")]
    if publishes:
        attempts.append(("PublishTrack", "publish audio track"))
    for call, act in attempts:
        try:
            state.livekit.attempt(call)
        except LiveKitError as error:
            reason = quoted(f"Failed to {act}: {error}")
            text = f"Failed to connect to LiveKit room: InternalServerError({reason})"
            raise Refused(text) from None


def find_caller(state: ServerState, room_name: str, auth_id: str, identity: str) -> Participant:
    """The first SIP participant but Sayna itself; raises Refused (T4 to T6)."""
    if auth_id:
        _check_owner(state, room_name, auth_id)
    try:
        present = list_participants(state.livekit, room_name)
    except ConnectionFailedError as error:
        raise Refused(
            f"SIP transfer failed: Failed to list participants: Connection failed: {error}"
        ) from None
    for participant in present:
        if participant.kind == "SIP" and participant.identity != identity:
            return participant
    raise Refused("No SIP participant found in room to transfer")


def _check_owner(state: ServerState, room_name: str, auth_id: str) -> None:
    try:
        room = find_room(state.livekit, room_name)
    except ConnectionFailedError as error:
        raise Refused(
            f"SIP transfer failed: Failed to verify room access: Connection failed: {error}"
        ) from None
    if room is None:
        raise Refused("SIP transfer failed: Room not found")
    if owner(room.metadata) != auth_id:
        raise Refused("SIP transfer failed: Room not accessible")

"""Who owns a room: the tenant's id in its metadata (rest.md 5, websocket.md 4.2.6).

The effective auth id "" is unscoped mode: nothing is checked and everything is visible.
"""

from contextlib import suppress
from typing import Any, cast

from sayna_testing.server.livekit import LiveKit, LiveKitError
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.rust_text import json_text
from sayna_testing.server.serde import SerdeError, quoted, read_json
from sayna_testing.server.text import is_blank

KEY = "auth_id"
MAX_PARTICIPANTS = 3


class AccessError(Exception):
    """Sayna does not let a tenant at a room."""


class ForeignRoomError(AccessError):
    """The room belongs to another tenant, or to nobody where an owner is needed."""


class RoomNotFoundError(AccessError):
    """There is no such room."""


class ConnectionFailedError(AccessError):
    """LiveKit did not play along; the text goes behind `Connection failed: `."""


def owner(metadata: str) -> str | None:
    """The `auth_id` in a room's metadata; whatever cannot be read names nobody."""
    try:
        value = read_json(metadata.encode())
    except SerdeError:
        return None
    found = cast("dict[str, Any]", value).get(KEY) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def claimed(metadata: str, auth_id: str) -> str | None:
    """Return the metadata with this owner written into it, None when it is there already.

    Raises ForeignRoomError for another owner, ConnectionFailedError for metadata that is no object.
    """
    try:
        value = read_json(b"{}" if is_blank(metadata) else metadata.encode())
    except SerdeError as error:
        raise ConnectionFailedError(f"Invalid room metadata JSON: {error.detail}") from error
    if not isinstance(value, dict):
        raise ConnectionFailedError(f"Room metadata is not a JSON object: {_debug(value)}")
    pairs = cast("dict[str, Any]", value)
    present = pairs.get(KEY)
    if present == auth_id:
        return None
    if isinstance(present, str):
        raise ForeignRoomError
    return json_text(pairs | {KEY: auth_id})


def claim(livekit: LiveKit, name: str, auth_id: str) -> None:
    """Make the tenant the owner of a room that exists; raises an AccessError."""
    room = find_room(livekit, name)
    if room is None:
        raise RoomNotFoundError
    metadata = claimed(room.metadata, auth_id)
    if metadata is None:
        return
    try:
        livekit.update_room_metadata(room, metadata)
    except LiveKitError as error:
        raise ConnectionFailedError(f"Failed to update room metadata: {error}") from error


def prepare_room(livekit: LiveKit, name: str, auth_id: str) -> None:
    """Create a tenant's room unless it is there, then claim it; raises an AccessError.

    A refused creation is not reported itself: the room is then not found.
    """
    if find_room(livekit, name) is None:
        with suppress(LiveKitError):
            livekit.create_room(name, max_participants=MAX_PARTICIPANTS)
    claim(livekit, name, auth_id)


def find_room(livekit: LiveKit, name: str) -> Room | None:
    """The room of this name; raises ConnectionFailedError."""
    try:
        return livekit.get_room(name)
    except LiveKitError as error:
        raise ConnectionFailedError(f"Failed to get room: {error}") from error


def list_participants(livekit: LiveKit, name: str) -> list[Participant]:
    """Who is in a room; raises ConnectionFailedError."""
    try:
        return livekit.list_participants(name)
    except LiveKitError as error:
        raise ConnectionFailedError(f"Failed to list participants: {error}") from error


def room_for(livekit: LiveKit, name: str, auth_id: str) -> tuple[Room, list[Participant]]:
    """The room and who is in it, if the tenant may see it; raises an AccessError.

    The real server tells an absent room by `not found` in the text of the failure, so does this.
    """
    try:
        room = find_room(livekit, name)
        participants = list_participants(livekit, name) if room is not None else []
    except ConnectionFailedError as error:
        if "not found" in str(error):
            raise RoomNotFoundError from error
        raise
    if room is None:
        raise RoomNotFoundError
    if auth_id and owner(room.metadata) != auth_id:
        raise ForeignRoomError
    return room, participants


def _debug(value: object) -> str:
    """Write a JSON value as Rust's Debug does."""
    match value:
        case None:
            return "Null"
        case bool():
            return f"Bool({str(value).lower()})"
        case int() | float():
            return f"Number({json_text(value)})"
        case str():
            return f"String({quoted(value)})"
        case list():
            items = cast("list[object]", value)
            return f"Array [{', '.join(map(_debug, items))}]"
        case _:
            members = cast("dict[str, object]", value)
            pairs = (f"{quoted(key)}: {_debug(members[key])}" for key in sorted(members))
            return f"Object {{{', '.join(pairs)}}}"

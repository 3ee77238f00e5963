"""Removing and muting participants (rest.md 11), error shape B."""

from typing import Any

from sayna_testing.server.livekit import LiveKitError
from sayna_testing.server.rest.bodies import read_json_body
from sayna_testing.server.rest.context import Context, Refusal
from sayna_testing.server.rest.messages import Response, json_response, prose_with_code
from sayna_testing.server.rest.structs import MUTE_PARTICIPANT, REMOVE_PARTICIPANT
from sayna_testing.server.tenancy import AccessError, list_participants, room_for
from sayna_testing.server.text import is_blank

_BLANK = {
    "room_name": "Room name cannot be empty",
    "participant_identity": "Participant identity cannot be empty",
    "track_sid": "Track SID cannot be empty",
}


def _check(context: Context, asked: dict[str, Any]) -> None:
    for name, text in _BLANK.items():
        if name in asked and is_blank(asked[name]):
            raise Refusal(prose_with_code(400, "INVALID_REQUEST", text))
    if context.state.settings.livekit is None:
        text = "LiveKit service not configured"
        raise Refusal(prose_with_code(500, "LIVEKIT_NOT_CONFIGURED", text))
    if context.auth_id:
        try:
            room_for(context.state.livekit, asked["room_name"], context.auth_id)
        except AccessError as error:
            raise Refusal(_no_room(asked["room_name"])) from error


def _no_room(name: str) -> Response:
    return _not_found(f"Room '{name}' not found or not accessible")


def _not_found(text: str) -> Response:
    return prose_with_code(404, "PARTICIPANT_NOT_FOUND", text)


async def remove_participant(context: Context) -> Response:
    """DELETE `/livekit/participant`."""
    asked = read_json_body(context, REMOVE_PARTICIPANT)
    _check(context, asked)
    livekit = context.state.livekit
    room, identity = asked["room_name"], asked["participant_identity"]
    try:
        present = list_participants(livekit, room)
    except AccessError:
        return _no_room(room)
    if not any(participant.identity == identity for participant in present):
        return _not_found(f"Participant '{identity}' not found in room '{room}'")
    try:
        livekit.remove_participant(room, identity)
    except LiveKitError as error:
        return prose_with_code(
            500,
            "REMOVAL_FAILED",
            "Failed to remove participant: Connection failed:"
            f" Failed to remove participant: {error}",
        )
    return json_response({"status": "removed", "room_name": room, "participant_identity": identity})


async def mute_participant(context: Context) -> Response:
    """POST `/livekit/participant/mute`."""
    asked = read_json_body(context, MUTE_PARTICIPANT)
    _check(context, asked)
    room, identity, sid = asked["room_name"], asked["participant_identity"], asked["track_sid"]
    try:
        track = context.state.livekit.mute_track(room, identity, sid, muted=asked["muted"])
    except LiveKitError as error:
        if "not found" not in str(error):
            text = f"Failed to mute track: Connection failed: Failed to mute track: {error}"
            return prose_with_code(500, "REMOVAL_FAILED", text)
        track = None
    if track is None:
        return _not_found(f"Track '{sid}' or participant '{identity}' not found in room '{room}'")
    return json_response({**asked, "muted": track.muted})

"""Tokens, the list of rooms and one room (rest.md 9, 10)."""

import time
from typing import Any

from sayna_testing.server.livekit import LiveKitError
from sayna_testing.server.rest.bodies import read_json_body
from sayna_testing.server.rest.context import Context, Refusal
from sayna_testing.server.rest.messages import Response, json_response, prose
from sayna_testing.server.rest.structs import TOKEN
from sayna_testing.server.rest.tokens import sign
from sayna_testing.server.rooms import Participant
from sayna_testing.server.settings import LiveKitSettings
from sayna_testing.server.tenancy import (
    ConnectionFailedError,
    ForeignRoomError,
    RoomNotFoundError,
    owner,
    prepare_room,
    room_for,
)
from sayna_testing.server.text import is_blank

_LIFETIME = 6 * 3600


def _livekit(context: Context) -> LiveKitSettings:
    if context.state.settings.livekit is None:
        raise Refusal(prose(500, "LiveKit service not configured"))
    return context.state.settings.livekit


async def make_token(context: Context) -> Response:
    """POST `/livekit/token`."""
    asked = read_json_body(context, TOKEN)
    livekit = _livekit(context)
    for name, value in asked.items():
        if is_blank(value):
            return prose(400, f"Invalid request: {name} cannot be empty")
    if context.auth_id:
        _prepare(context, asked["room_name"])
    if not livekit.api_key or not livekit.api_secret:
        return prose(
            500,
            "Failed to generate LiveKit token: Connection failed:"
            " Failed to generate user token: Invalid API Key or Secret Key",
        )
    return json_response(
        {
            "token": sign(_claims(livekit.api_key, asked), livekit.api_secret),
            "room_name": asked["room_name"],
            "participant_identity": asked["participant_identity"],
            "livekit_url": context.state.settings.livekit_public_url,
        }
    )


def _prepare(context: Context, name: str) -> None:
    try:
        prepare_room(context.state.livekit, name, context.auth_id)
    except ForeignRoomError as error:
        text = "Access denied: room belongs to a different tenant"
        raise Refusal(prose(403, text)) from error
    except RoomNotFoundError as error:
        text = "Failed to create room: room not found after creation attempt"
        raise Refusal(prose(500, text)) from error
    except ConnectionFailedError as error:
        text = f"Failed to prepare room: Connection failed: {error}"
        raise Refusal(prose(500, text)) from error


def _claims(issuer: str, asked: dict[str, str]) -> dict[str, Any]:
    now = int(time.time())
    return {
        "exp": now + _LIFETIME,
        "iss": issuer,
        "nbf": now,
        "sub": asked["participant_identity"],
        "name": asked["participant_name"],
        "video": {
            "roomCreate": True,
            "roomList": True,
            "roomRecord": True,
            "roomAdmin": False,
            "roomJoin": True,
            "room": asked["room_name"],
            "destinationRoom": "",
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
            "canPublishSources": [],
            "canUpdateOwnMetadata": True,
            "ingressAdmin": False,
            "hidden": False,
            "recorder": False,
        },
        "sip": {"admin": False, "call": False},
        "sha256": "",
        "metadata": "",
        "attributes": {},
        "roomConfig": None,
    }


async def list_rooms(context: Context) -> Response:
    """GET `/livekit/rooms`."""
    _livekit(context)
    try:
        rooms = context.state.livekit.list_rooms()
    except LiveKitError as error:
        return prose(500, f"Failed to list rooms: Connection failed: Failed to list rooms: {error}")
    return json_response(
        {
            "rooms": [
                {
                    "name": room.name,
                    "num_participants": len(room.present()),
                    "creation_time": room.creation_time,
                }
                for room in rooms
                if not context.auth_id or owner(room.metadata) == context.auth_id
            ]
        }
    )


async def show_room(context: Context) -> Response:
    """GET `/livekit/rooms/{room_name}`."""
    name = context.param("room_name")
    if is_blank(name):
        return prose(400, "Room name cannot be empty")
    _livekit(context)
    try:
        room, participants = room_for(context.state.livekit, name, context.auth_id)
    except RoomNotFoundError:
        return prose(404, f"Room '{name}' not found")
    except ForeignRoomError:
        return prose(404, f"Room '{name}' not found or not accessible")
    except ConnectionFailedError as error:
        return prose(500, f"Failed to access room: Connection failed: {error}")
    return json_response(
        {
            "sid": room.sid,
            "name": room.name,
            "num_participants": len(participants),
            "max_participants": room.max_participants,
            "creation_time": room.creation_time,
            "metadata": room.metadata,
            "active_recording": room.active_recording,
            "participants": [_shown(participant) for participant in participants],
        }
    )


def _shown(participant: Participant) -> dict[str, Any]:
    return {
        "sid": participant.sid,
        "identity": participant.identity,
        "name": participant.name,
        "state": participant.state,
        "kind": participant.kind,
        "joined_at": participant.joined_at,
        "metadata": participant.metadata,
        "attributes": dict(participant.attributes),
        "is_publisher": participant.is_publisher,
    }

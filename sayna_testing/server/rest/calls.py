"""Placing and transferring SIP calls (rest.md 14), error shape B."""

from contextlib import suppress
from typing import Any

from sayna_testing.server.livekit import LiveKitError
from sayna_testing.server.phone import tel_uri
from sayna_testing.server.rest.bodies import read_json_body
from sayna_testing.server.rest.context import Context, Refusal
from sayna_testing.server.rest.messages import Response, json_response, prose_with_code
from sayna_testing.server.rest.structs import SIP_CALL, SIP_TRANSFER
from sayna_testing.server.rooms import Participant
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.telephony import dial, transfer
from sayna_testing.server.tenancy import (
    AccessError,
    ConnectionFailedError,
    ForeignRoomError,
    RoomNotFoundError,
    claim,
    list_participants,
    room_for,
)
from sayna_testing.server.text import is_blank

_NAMES = {
    "room_name": "Room name cannot be empty",
    "participant_name": "Participant name cannot be empty",
    "participant_identity": "Participant identity cannot be empty",
}


def _refusal(status: int, code: str, text: str) -> Refusal:
    return Refusal(prose_with_code(status, code, text))


async def start_call(context: Context) -> Response:
    """POST `/sip/call`: answers once LiveKit dials, not when somebody picks up."""
    asked = read_json_body(context, SIP_CALL)
    for name, text in _NAMES.items():
        if is_blank(asked[name]):
            raise _refusal(400, "INVALID_PHONE_NUMBER", text)
    to = _number(asked["to_phone_number"], "Invalid to_phone_number")
    caller = _number(asked["from_phone_number"], "Invalid from_phone_number")
    _check_outbound(context.state.settings, asked["sip"])
    _check_configured(context)
    with suppress(RoomNotFoundError):
        _check_room(context, asked["room_name"], "CALL_FAILED")
    try:
        callee = dial(
            context.state,
            asked["room_name"],
            asked["participant_identity"],
            asked["participant_name"],
            caller=caller.removeprefix("tel:"),
            to=to.removeprefix("tel:"),
        )
    except LiveKitError as error:
        text = f"SIP call failed: Connection failed: {error}"
        raise _refusal(500, "CALL_FAILED", text) from error
    if context.auth_id:
        with suppress(AccessError):
            claim(context.state.livekit, asked["room_name"], context.auth_id)
    return json_response(
        {
            "status": "initiated",
            "room_name": asked["room_name"],
            "participant_identity": callee.identity,
            "participant_id": callee.sid,
            "sip_call_id": callee.attributes["sip.callID"],
        }
    )


def _number(number: str, prefix: str) -> str:
    try:
        return tel_uri(number)
    except ValueError as error:
        raise _refusal(400, "INVALID_PHONE_NUMBER", f"{prefix}: {error}") from error


def _check_outbound(settings: ServerSettings, sip: dict[str, Any] | None) -> None:
    """An address of the request overrides the server's; an empty one counts as given."""
    ours = None if settings.sip is None else settings.sip.outbound_address
    if ours is None and (sip is None or sip["outbound_address"] is None):
        text = "Outbound address not configured"
        raise _refusal(500, "OUTBOUND_ADDRESS_NOT_CONFIGURED", text)


def _check_configured(context: Context) -> None:
    """The SIP handler needs the SIP configuration and the LiveKit keys (rest.md 2)."""
    settings = context.state.settings
    if settings.sip is None or settings.livekit is None:
        text = "LiveKit SIP service not configured"
        raise _refusal(500, "LIVEKIT_NOT_CONFIGURED", text)


def _check_room(context: Context, name: str, code: str) -> None:
    """Refuse a tenant another's room; raises RoomNotFoundError for an absent one."""
    if not context.auth_id:
        return
    try:
        room_for(context.state.livekit, name, context.auth_id)
    except ForeignRoomError as error:
        raise _no_access() from error
    except ConnectionFailedError as error:
        text = f"Failed to verify room access: Connection failed: {error}"
        raise _refusal(500, code, text) from error


def _no_access() -> Refusal:
    return _refusal(404, "ROOM_ACCESS_DENIED", "Room not found or not accessible")


async def transfer_call(context: Context) -> Response:
    """POST `/sip/transfer`: hands a caller over to another number."""
    asked = read_json_body(context, SIP_TRANSFER)
    to = _number(asked["transfer_to"], "Invalid phone number")
    if is_blank(asked["room_name"]):
        raise _refusal(400, "INVALID_PHONE_NUMBER", _NAMES["room_name"])
    _check_configured(context)
    try:
        _check_room(context, asked["room_name"], "TRANSFER_FAILED")
    except RoomNotFoundError as error:
        raise _no_access() from error
    if is_blank(asked["participant_identity"]):
        raise _refusal(400, "PARTICIPANT_NOT_FOUND", _NAMES["participant_identity"])
    participant = _caller(context, asked["room_name"], asked["participant_identity"])
    try:
        status = await transfer(context.state, asked["room_name"], participant, to)
    except LiveKitError as error:
        text = f"SIP transfer failed: Connection failed: {error}"
        raise _refusal(500, "TRANSFER_FAILED", text) from error
    return json_response({"status": status, **asked, "transfer_to": to})


def _caller(context: Context, room: str, identity: str) -> Participant:
    try:
        present = list_participants(context.state.livekit, room)
    except ConnectionFailedError as error:
        text = f"Failed to verify participant: Connection failed: {error}"
        raise _refusal(500, "TRANSFER_FAILED", text) from error
    for participant in present:
        if participant.identity == identity and participant.kind == "SIP":
            return participant
    text = f"Participant '{identity}' not found or is not a SIP participant"
    raise _refusal(404, "PARTICIPANT_NOT_FOUND", text)

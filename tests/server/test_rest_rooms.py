# ruff: noqa: E501 - one row of the protocol's tables a line
import asyncio
from typing import Any

import jwt
import pytest
from freezegun import freeze_time

from sayna_testing.clock import virtual_time
from sayna_testing.server.far_end import FarEnd
from sayna_testing.server.livekit import Call, refusal, sip_refusal, unreachable
from sayna_testing.server.rooms import CallAnswered, Participant, ParticipantLeft, RoomEvent
from sayna_testing.server.settings import LiveKitSettings, ServerSettings, SipSettings
from tests.server.asking import ACME, TENANTS, Rest

GUEST = {"room_name": "r", "participant_identity": "guest"}
TOKEN = {"room_name": "r", "participant_name": "n", "participant_identity": "i"}
CALL = {
    "room_name": "r",
    "participant_name": "Cal",
    "participant_identity": "callee",
    "from_phone_number": "+1",
    "to_phone_number": " +2 ",
}
TRANSFER = {"room_name": "r", "participant_identity": "callee", "transfer_to": "+3"}
DOWN = refusal("unavailable", "no response from servers")


def with_guest(settings: ServerSettings | None = None, *, metadata: str = "") -> Rest:
    rest = Rest(settings)
    room = rest.state.rooms.create("r", metadata=metadata)
    room.join(Participant("guest", "Rowan", attributes={"lang": "fr"}))
    return rest


async def test_token_verifies_and_grants_what_the_real_one_does() -> None:
    rest = Rest()
    with freeze_time("2026-01-01"):
        answered = await rest.json("POST", "/livekit/token", TOKEN)
        secret = "fake-livekit-secret-of-the-test-server"
        claims = jwt.decode(answered["token"], secret, algorithms=["HS256"], issuer="LKfakekey01")
    assert list(answered) == ["token", "room_name", "participant_identity", "livekit_url"]
    assert answered["token"].startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAi")
    assert claims == {
        "exp": 1767247200,
        "iss": "LKfakekey01",
        "nbf": 1767225600,
        "sub": "i",
        "name": "n",
        "video": {
            "roomCreate": True,
            "roomList": True,
            "roomRecord": True,
            "roomAdmin": False,
            "roomJoin": True,
            "room": "r",
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
    assert rest.state.rooms.all() == []


async def test_short_livekit_secret_signs_without_a_warning() -> None:
    rest = Rest(ServerSettings(livekit=LiveKitSettings(api_key="devkey", api_secret="secret")))
    assert (await rest("POST", "/livekit/token", TOKEN)).status == 200


async def test_tenant_creates_and_claims_a_room_with_a_token() -> None:
    rest = Rest(TENANTS)
    await rest.json("POST", "/livekit/token", TOKEN, **ACME)
    shown = await rest.json("GET", "/livekit/rooms/r", **ACME)
    assert (shown["max_participants"], shown["metadata"]) == (3, '{"auth_id":"acme"}')
    await rest.json("POST", "/livekit/token", TOKEN, **ACME)
    assert await rest.error("POST", "/livekit/token", TOKEN, authorization="Bearer s globex+") == (
        403,
        '{"error":"Access denied: room belongs to a different tenant"}',
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (
            "ListRooms",
            f"Failed to prepare room: Connection failed: Failed to get room: {DOWN}",
        ),
        ("CreateRoom", "Failed to create room: room not found after creation attempt"),
        (
            "UpdateRoomMetadata",
            f"Failed to prepare room: Connection failed: Failed to update room metadata: {DOWN}",
        ),
    ],
)
async def test_token_of_a_tenant_needs_livekit(call: Call, error: str) -> None:
    rest = Rest(TENANTS)
    rest.state.livekit.refuse(call, DOWN)
    assert await rest.error("POST", "/livekit/token", TOKEN, **ACME) == (
        500,
        f'{{"error":"{error}"}}',
    )


@pytest.mark.parametrize(
    ("settings", "asked", "expected"),
    [
        (ServerSettings(livekit=None), {**TOKEN, "room_name": ""}, (500, "LiveKit service not configured")),
        (None, {**TOKEN, "room_name": " "}, (400, "Invalid request: room_name cannot be empty")),
        (
            None,
            {**TOKEN, "participant_name": "", "participant_identity": ""},
            (400, "Invalid request: participant_name cannot be empty"),
        ),
        (
            ServerSettings(livekit=LiveKitSettings(api_secret="")),
            TOKEN,
            (
                500,
                "Failed to generate LiveKit token: Connection failed:"
                " Failed to generate user token: Invalid API Key or Secret Key",
            ),
        ),
    ],
)  # fmt: skip
async def test_token_is_refused(
    settings: ServerSettings | None, asked: dict[str, str], expected: tuple[int, str]
) -> None:
    status, text = expected
    got = await Rest(settings).error("POST", "/livekit/token", asked)
    assert got == (status, f'{{"error":"{text}"}}')


async def test_rooms_are_listed_with_their_participants_counted() -> None:
    with freeze_time("2026-01-01"):
        rest = with_guest()
        rest.state.rooms.create("empty")
    assert (await rest("GET", "/livekit/rooms")).body == (
        b'{"rooms":[{"name":"r","num_participants":1,"creation_time":1767225600},'
        b'{"name":"empty","num_participants":0,"creation_time":1767225600}]}'
    )


async def test_room_is_shown_with_everybody_in_it() -> None:
    with freeze_time("2026-01-01"):
        rest = with_guest(metadata='{"topic":"q3"}')
    room = rest.state.rooms.get("r")
    assert room is not None
    guest = room.participants["guest"]
    room.publish_track("guest")
    assert (await rest("GET", "/livekit/rooms/%72")).body.decode() == (
        f'{{"sid":"{room.sid}","name":"r","num_participants":1,"max_participants":0,'
        '"creation_time":1767225600,"metadata":"{\\"topic\\":\\"q3\\"}","active_recording":false,'
        f'"participants":[{{"sid":"{guest.sid}","identity":"guest","name":"Rowan",'
        '"state":"ACTIVE","kind":"STANDARD","joined_at":1767225600,"metadata":"",'
        '"attributes":{"lang":"fr"},"is_publisher":true}]}'
    )


@pytest.mark.parametrize(
    ("settings", "path", "refused", "expected"),
    [
        (ServerSettings(livekit=None), "%20", {}, (400, "Room name cannot be empty")),
        (ServerSettings(livekit=None), "r", {}, (500, "LiveKit service not configured")),
        (None, "a%2Fb+c", {}, (404, "Room 'a/b+c' not found")),
        (TENANTS, "r", {}, (404, "Room 'r' not found or not accessible")),
        (
            None,
            "r",
            {"ListRooms": DOWN},
            (500, f"Failed to access room: Connection failed: Failed to get room: {DOWN}"),
        ),
        (
            None,
            "r",
            {"ListParticipants": unreachable("ListParticipants", "reset")},
            (
                500,
                "Failed to access room: Connection failed: Failed to list participants:"
                " twirp error: failed to execute the request: reset",
            ),
        ),
        (None, "r", {"ListRooms": "it was not found"}, (404, "Room 'r' not found")),
    ],
)
async def test_room_is_not_shown(
    settings: ServerSettings | None,
    path: str,
    refused: dict[Call, str],
    expected: tuple[int, str],
) -> None:
    rest = with_guest(settings)
    for call, text in refused.items():
        rest.state.livekit.refuse(call, text)
    got = await rest.error("GET", f"/livekit/rooms/{path}", **ACME)
    assert got == (expected[0], f'{{"error":"{expected[1]}"}}')


async def test_rooms_cannot_be_listed_without_livekit() -> None:
    rest = Rest()
    rest.state.livekit.refuse("ListRooms", DOWN)
    text = f"Failed to list rooms: Connection failed: Failed to list rooms: {DOWN}"
    assert await rest.error("GET", "/livekit/rooms") == (500, f'{{"error":"{text}"}}')


async def test_removed_participant_is_gone_and_the_room_is_told() -> None:
    rest = with_guest()
    room = rest.state.rooms.get("r")
    assert room is not None
    events: list[RoomEvent] = []
    room.subscribe(events.append)
    guest = room.participants["guest"]
    answered = await rest("DELETE", "/livekit/participant", GUEST)
    assert answered.body == (b'{"status":"removed","room_name":"r","participant_identity":"guest"}')
    assert events == [ParticipantLeft(room, guest)]
    assert (await rest.json("GET", "/livekit/rooms/r"))["participants"] == []


@pytest.mark.parametrize(
    ("settings", "asked", "refused", "status", "code", "error"),
    [
        (None, {"room_name": " "}, None, 400, "INVALID_REQUEST", "Room name cannot be empty"),
        (ServerSettings(livekit=None), {"participant_identity": ""}, None, 400, "INVALID_REQUEST", "Participant identity cannot be empty"),
        (ServerSettings(livekit=None), {}, None, 500, "LIVEKIT_NOT_CONFIGURED", "LiveKit service not configured"),
        (TENANTS, {}, None, 404, "PARTICIPANT_NOT_FOUND", "Room 'r' not found or not accessible"),
        (None, {}, "ListParticipants", 404, "PARTICIPANT_NOT_FOUND", "Room 'r' not found or not accessible"),
        (None, {"room_name": "x"}, None, 404, "PARTICIPANT_NOT_FOUND", "Participant 'guest' not found in room 'x'"),
        (None, {}, "RemoveParticipant", 500, "REMOVAL_FAILED", f"Failed to remove participant: Connection failed: Failed to remove participant: {DOWN}"),
    ],
)  # fmt: skip
async def test_participant_is_not_removed(
    settings: ServerSettings | None,
    asked: dict[str, str],
    refused: Call | None,
    status: int,
    code: str,
    error: str,
) -> None:
    rest = with_guest(settings)
    if refused:
        rest.state.livekit.refuse(refused, DOWN)
    got = await rest.error("DELETE", "/livekit/participant", {**GUEST, **asked}, **ACME)
    assert got == (status, f'{{"error":"{error}","code":"{code}"}}')


async def test_mute_says_what_livekit_reports() -> None:
    rest = with_guest()
    room = rest.state.rooms.get("r")
    assert room is not None
    track = room.publish_track("guest")
    asked = {**GUEST, "track_sid": track.sid, "muted": True}
    assert await rest.json("POST", "/livekit/participant/mute", asked) == asked
    assert track.muted


async def test_unmuting_needs_a_livekit_that_allows_it() -> None:
    unmute = {**GUEST, "track_sid": "TR_1", "muted": False}
    status, body = await with_guest().error("POST", "/livekit/participant/mute", unmute)
    assert (status, "failed_precondition: remote unmute not enabled" in body) == (500, True)
    rest = with_guest(ServerSettings(livekit=LiveKitSettings(remote_unmute=True)))
    status, body = await rest.error("POST", "/livekit/participant/mute", unmute)
    assert (status, "Track 'TR_1' or participant 'guest' not found" in body) == (404, True)


@pytest.mark.parametrize(
    ("asked", "refused", "status", "code", "error"),
    [
        ({"track_sid": ""}, None, 400, "INVALID_REQUEST", "Track SID cannot be empty"),
        ({}, None, 404, "PARTICIPANT_NOT_FOUND", "Track 'TR_1' or participant 'guest' not found in room 'r'"),
        ({"participant_identity": "x"}, None, 500, "REMOVAL_FAILED", f"Failed to mute track: Connection failed: Failed to mute track: {DOWN}"),
        ({"room_name": "x"}, None, 500, "REMOVAL_FAILED", f"Failed to mute track: Connection failed: Failed to mute track: {DOWN}"),
        ({}, "track not found", 404, "PARTICIPANT_NOT_FOUND", "Track 'TR_1' or participant 'guest' not found in room 'r'"),
        ({}, "not_found", 500, "REMOVAL_FAILED", "Failed to mute track: Connection failed: Failed to mute track: not_found"),
    ],
)  # fmt: skip
async def test_track_is_not_muted(
    asked: dict[str, str], refused: str | None, status: int, code: str, error: str
) -> None:
    rest = with_guest()
    if refused:
        rest.state.livekit.refuse("MutePublishedTrack", refused)
    mute = {**GUEST, "track_sid": "TR_1", "muted": True, **asked}
    got = await rest.error("POST", "/livekit/participant/mute", mute)
    assert got == (status, f'{{"error":"{error}","code":"{code}"}}')


async def test_called_number_joins_the_room_and_answers() -> None:
    rest = Rest()
    events: list[RoomEvent] = []
    rest.state.rooms.subscribe(events.append)
    answered = await rest.json("POST", "/sip/call", CALL)
    room = rest.state.rooms.get("r")
    assert room is not None
    callee = room.participants["callee"]
    assert answered == {
        "status": "initiated",
        "room_name": "r",
        "participant_identity": "callee",
        "participant_id": callee.sid,
        "sip_call_id": callee.attributes["sip.callID"],
    }
    assert (callee.kind, callee.attributes["sip.callStatus"]) == ("SIP", "dialing")
    await rest.settled()
    assert callee.attributes["sip.callStatus"] == "active"
    assert callee.is_publisher
    assert events[-1] == CallAnswered(room, callee)


@pytest.mark.parametrize(
    ("far_end", "leaves_after"),
    [
        (FarEnd(outcome="busy", after=3.0), 3.0),
        (FarEnd(outcome="no answer"), 30.0),
        (FarEnd(after=40.0), None),
    ],
)
def test_called_number_may_not_answer(far_end: FarEnd, leaves_after: float | None) -> None:
    async def call() -> list[float]:
        rest = Rest()
        loop = asyncio.get_running_loop()
        left: list[float] = []
        start = loop.time()
        rest.state.rooms.subscribe(
            lambda event: (
                left.append(loop.time() - start) if isinstance(event, ParticipantLeft) else None
            )
        )
        rest.state.far_ends["tel:+2"] = far_end
        await rest.json("POST", "/sip/call", CALL)
        await rest.settled()
        return left

    with virtual_time():
        assert asyncio.run(call()) == ([] if leaves_after is None else [leaves_after])


async def test_callee_put_out_while_ringing_does_not_answer() -> None:
    rest = Rest()
    await rest.json("POST", "/sip/call", CALL)
    room = rest.state.rooms.get("r")
    assert room is not None
    callee = room.participants["callee"]
    await rest.json("DELETE", "/livekit/participant", {**GUEST, "participant_identity": "callee"})
    await rest.settled()
    assert callee.attributes["sip.callStatus"] == "dialing"


async def test_trunk_that_fits_is_used_again() -> None:
    rest = Rest()
    await rest.json("POST", "/sip/call", CALL)
    rest.state.livekit.refuse("CreateSIPOutboundTrunk", "no more")
    await rest.json("POST", "/sip/call", CALL)
    assert [trunk.name for trunk in rest.state.livekit.trunks] == ["sayna-outbound-+1"]
    assert (await rest("POST", "/sip/call", {**CALL, "from_phone_number": "4"})).status == 500


async def test_call_of_a_tenant_claims_the_room() -> None:
    rest = Rest(TENANTS)
    await rest.json("POST", "/sip/call", CALL, **ACME)
    shown = await rest.json("GET", "/livekit/rooms/r", **ACME)
    assert shown["metadata"] == '{"auth_id":"acme"}'
    await rest.json("POST", "/sip/call", CALL, **ACME)


async def test_call_goes_on_when_the_claim_fails() -> None:
    rest = Rest(TENANTS)
    rest.state.livekit.refuse("UpdateRoomMetadata", DOWN)
    assert (await rest("POST", "/sip/call", CALL, **ACME)).status == 200


NO_OUTBOUND = ServerSettings(sip=SipSettings(outbound_address=None))


@pytest.mark.parametrize(
    ("settings", "asked", "refused", "status", "code", "error"),
    [
        (None, {"room_name": ""}, {}, 400, "INVALID_PHONE_NUMBER", "Room name cannot be empty"),
        (None, {"participant_name": " "}, {}, 400, "INVALID_PHONE_NUMBER", "Participant name cannot be empty"),
        (None, {"participant_identity": ""}, {}, 400, "INVALID_PHONE_NUMBER", "Participant identity cannot be empty"),
        (None, {"to_phone_number": "+", "from_phone_number": ""}, {}, 400, "INVALID_PHONE_NUMBER", "Invalid to_phone_number: Phone number must contain at least one digit"),
        (None, {"from_phone_number": "\x1c1"}, {}, 400, "INVALID_PHONE_NUMBER", "Invalid from_phone_number: Invalid character '\\u001c' at position 0 - only digits (0-9) and optional leading '+' are allowed"),
        (NO_OUTBOUND, {}, {}, 500, "OUTBOUND_ADDRESS_NOT_CONFIGURED", "Outbound address not configured"),
        (ServerSettings(sip=None), {"sip": {"outbound_address": ""}}, {}, 500, "LIVEKIT_NOT_CONFIGURED", "LiveKit SIP service not configured"),
        (ServerSettings(livekit=None), {}, {}, 500, "LIVEKIT_NOT_CONFIGURED", "LiveKit SIP service not configured"),
        (TENANTS, {}, {}, 404, "ROOM_ACCESS_DENIED", "Room not found or not accessible"),
        (TENANTS, {}, {"ListRooms": DOWN}, 500, "CALL_FAILED", f"Failed to verify room access: Connection failed: Failed to get room: {DOWN}"),
        (None, {}, {"ListSIPOutboundTrunk": sip_refusal("ListSIPOutboundTrunk", "404 Not Found", "b")}, 500, "CALL_FAILED", "SIP call failed: Connection failed: LiveKit SIP list outbound trunk returned 404 Not Found: b"),
        (None, {}, {"CreateSIPOutboundTrunk": unreachable("CreateSIPOutboundTrunk", "reset")}, 500, "CALL_FAILED", "SIP call failed: Connection failed: Failed to send create trunk request: reset"),
        (None, {}, {"CreateSIPParticipant": sip_refusal("CreateSIPParticipant", "500 Internal Server Error", "")}, 500, "CALL_FAILED", "SIP call failed: Connection failed: LiveKit SIP create participant returned 500 Internal Server Error: "),
    ],
)  # fmt: skip
async def test_call_is_refused(
    settings: ServerSettings | None,
    asked: dict[str, Any],
    refused: dict[Call, str],
    status: int,
    code: str,
    error: str,
) -> None:
    rest = with_guest(settings)
    for call, text in refused.items():
        rest.state.livekit.refuse(call, text)
    got = await rest.error("POST", "/sip/call", {**CALL, **asked}, **ACME)
    assert got == (status, f'{{"error":"{error}","code":"{code}"}}')


async def test_address_of_the_request_is_enough() -> None:
    rest = Rest(NO_OUTBOUND)
    asked = {**CALL, "sip": {"outbound_address": ""}}
    assert (await rest("POST", "/sip/call", asked)).status == 200


@pytest.mark.parametrize(
    ("far_end", "status", "answered_after", "left_after"),
    [
        (FarEnd(), "completed", 0.0, 0.0),
        (FarEnd(after=1.5), "completed", 1.5, 1.5),
        (FarEnd(after=2.0), "completed", 2.0, 2.0),
        (FarEnd(after=5.0), "initiated", 2.0, 5.0),
        (FarEnd(outcome="no answer"), "initiated", 2.0, None),
        (FarEnd(outcome="busy", after=3.0), "initiated", 2.0, None),
    ],
)
def test_transfer_waits_two_seconds_for_its_outcome(
    far_end: FarEnd, status: str, answered_after: float, left_after: float | None
) -> None:
    async def transfer() -> tuple[Any, float, float | None]:
        rest = Rest()
        loop = asyncio.get_running_loop()
        room = rest.state.rooms.create("r")
        room.join(Participant("callee", kind="SIP"))
        left: list[float] = []
        start = loop.time()
        room.subscribe(lambda _: left.append(loop.time() - start))
        rest.state.anybody = far_end
        answered = await rest.json("POST", "/sip/transfer", TRANSFER)
        took = loop.time() - start
        await rest.settled()
        return answered, took, left[0] if left else None

    with virtual_time():
        answered, took, left = asyncio.run(transfer())
    assert answered == {**TRANSFER, "status": status, "transfer_to": "tel:+3"}
    assert next(iter(answered)) == "status"
    assert (took, left) == (answered_after, left_after)


async def test_caller_gone_before_the_handover_is_left_alone() -> None:
    rest = Rest()
    room = rest.state.rooms.create("r")
    room.join(Participant("callee", kind="SIP"))
    await rest.json("POST", "/sip/transfer", TRANSFER)
    rest.state.rooms.delete("r")
    await rest.settled()
    assert rest.state.rooms.all() == []


@pytest.mark.parametrize(
    ("settings", "asked", "refused", "status", "code", "error"),
    [
        (None, {"transfer_to": "tel:1", "room_name": ""}, {}, 400, "INVALID_PHONE_NUMBER", "Invalid phone number: Invalid character 't' at position 0 - only digits (0-9) and optional leading '+' are allowed"),
        (ServerSettings(sip=None), {"room_name": ""}, {}, 400, "INVALID_PHONE_NUMBER", "Room name cannot be empty"),
        (ServerSettings(sip=None), {}, {}, 500, "LIVEKIT_NOT_CONFIGURED", "LiveKit SIP service not configured"),
        (TENANTS, {}, {}, 404, "ROOM_ACCESS_DENIED", "Room not found or not accessible"),
        (TENANTS, {"room_name": "x", "participant_identity": ""}, {}, 404, "ROOM_ACCESS_DENIED", "Room not found or not accessible"),
        (TENANTS, {}, {"ListRooms": DOWN}, 500, "TRANSFER_FAILED", f"Failed to verify room access: Connection failed: Failed to get room: {DOWN}"),
        (None, {"participant_identity": " "}, {}, 400, "PARTICIPANT_NOT_FOUND", "Participant identity cannot be empty"),
        (None, {}, {"ListParticipants": DOWN}, 500, "TRANSFER_FAILED", f"Failed to verify participant: Connection failed: Failed to list participants: {DOWN}"),
        (None, {"participant_identity": "guest"}, {}, 404, "PARTICIPANT_NOT_FOUND", "Participant 'guest' not found or is not a SIP participant"),
        (None, {"room_name": "x"}, {}, 404, "PARTICIPANT_NOT_FOUND", "Participant 'callee' not found or is not a SIP participant"),
        (None, {}, {"TransferSIPParticipant": unreachable("TransferSIPParticipant", "reset")}, 500, "TRANSFER_FAILED", "SIP transfer failed: Connection failed: Failed to send transfer request: reset"),
    ],
)  # fmt: skip
async def test_transfer_is_refused(
    settings: ServerSettings | None,
    asked: dict[str, str],
    refused: dict[Call, str],
    status: int,
    code: str,
    error: str,
) -> None:
    rest = with_guest(settings)
    room = rest.state.rooms.get("r")
    assert room is not None
    room.join(Participant("callee", kind="SIP"))
    for call, text in refused.items():
        rest.state.livekit.refuse(call, text)
    got = await rest.error("POST", "/sip/transfer", {**TRANSFER, **asked}, **ACME)
    assert got == (status, f'{{"error":"{error}","code":"{code}"}}')


async def test_transfer_to_a_busy_number_fails() -> None:
    rest = Rest()
    rest.state.rooms.create("r").join(Participant("callee", kind="SIP"))
    rest.state.far_ends["tel:+3"] = FarEnd(outcome="busy")
    status, body = await rest.error("POST", "/sip/transfer", TRANSFER)
    assert (status, "SIP transfer failed: Connection failed: LiveKit SIP transfer" in body) == (
        500,
        True,
    )
    await rest.settled()
    assert (await rest.json("GET", "/livekit/rooms/r"))["num_participants"] == 1

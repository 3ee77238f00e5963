"""The far end of calls Sayna places and of transfers (rest.md 14.2, 14.3; websocket.md 4.7)."""

import asyncio
from typing import Literal

from sayna_testing.server.far_end import FarEnd
from sayna_testing.server.livekit import LiveKitError, sip_refusal
from sayna_testing.server.rooms import CallAnswered, Participant, Room
from sayna_testing.server.state import ServerState

_BUSY = sip_refusal(
    "TransferSIPParticipant",
    "500 Internal Server Error",
    '{"code":"internal","msg":"transfer failed: 486 Busy Here"}',
)
PATIENCE = 2.0
"""Seconds Sayna waits for the outcome of a transfer."""


def dial(
    state: ServerState, room_name: str, identity: str, name: str, *, caller: str, to: str
) -> Participant:
    """Put the callee into the room, where it rings; raises LiveKitError. No `tel:` in numbers."""
    trunk = state.livekit.trunk_from(caller)
    state.livekit.attempt("CreateSIPParticipant")
    room = state.rooms.create(room_name)
    callee = Participant(
        identity,
        name,
        kind="SIP",
        attributes={
            "sip.callID": state.ids.sid("SCL"),
            "sip.callStatus": "dialing",
            "sip.phoneNumber": to,
            "sip.trunkPhoneNumber": caller,
            "sip.trunkName": trunk.name,
        },
    )
    room.join(callee)
    state.spawn(_ring(room, callee, state.far_end(f"tel:{to}")))
    return callee


async def _ring(room: Room, callee: Participant, far_end: FarEnd) -> None:
    await asyncio.sleep(far_end.rings)
    if room.participants.get(callee.identity) is not callee:
        return
    if far_end.outcome != "answers":
        room.leave(callee.identity)
        return
    callee.attributes["sip.callStatus"] = "active"
    room.publish_track(callee.identity)
    room.tell(CallAnswered(room, callee))


async def transfer(
    state: ServerState, room_name: str, participant: Participant, to: str
) -> Literal["completed", "initiated"]:
    """Transfer a caller to a `tel:` URI; raises LiveKitError.

    `initiated` says that there was no outcome within 2 s; it may come later. A caller that was
    transferred leaves the room.
    """
    state.livekit.attempt("TransferSIPParticipant")
    far_end = state.far_end(to)
    rest = max(0.0, far_end.rings - PATIENCE)
    await asyncio.sleep(far_end.rings - rest)
    if not rest and far_end.outcome != "answers":
        raise LiveKitError(_BUSY)
    if far_end.outcome == "answers":
        state.spawn(_hand_over(state, room_name, participant, rest))
    return "initiated" if rest else "completed"


async def _hand_over(
    state: ServerState, room_name: str, participant: Participant, after: float
) -> None:
    await asyncio.sleep(after)
    room = state.rooms.get(room_name)
    if room is not None and room.participants.get(participant.identity) is participant:
        room.leave(participant.identity)

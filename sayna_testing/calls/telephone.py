"""A telephone call to an agent, from the room it is put in to the hang-up."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

from sayna_testing.calls.people import RoomCaller
from sayna_testing.calls.world import World
from sayna_testing.clock import outside
from sayna_testing.delivery import DeliveryError, Door, Target, open_target
from sayna_testing.expectations import ExpectationError, failure, only_ours
from sayna_testing.server.journal import Entry
from sayna_testing.server.livekit import LiveKitError
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.tenancy import AccessError, claim
from sayna_testing.webhooks import SignedWebhook, WebhookSigner
from sayna_testing.webhooks.signing import secret_source

__tracebackhide__ = only_ours

ANSWER = 5.0
"""Seconds an agent has to answer the webhook and to join the room, and to end afterwards."""

_FORBIDDEN = (401, 403)

FAREWELL = 0.01
"""Seconds from the end of the session until the agent has seen it and cleaned up."""


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """Who calls whom: numbers as given, `to` also as a `sip:` URI; SIP headers by name."""

    from_number: str
    to: str
    name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def to_number(self) -> str:
        """The number that was dialled, or the user of the SIP URI."""
        found = _URI.fullmatch(self.to)
        return found[1] if found else self.to

    def host(self, default: str) -> str:
        """The SIP host that was called."""
        found = _URI.fullmatch(self.to)
        return found[2].lower() if found else default


_URI = re.compile(r"sips?:([^@]+)@([^;>]+)(?:;.*)?")


@contextlib.asynccontextmanager
async def telephone(
    world: World, dialled: Dialled, webhook: Target | None, *, path: str | None, wpm: float
) -> AsyncGenerator[RoomCaller]:
    """Ring the agent; entered once it has answered and joined, left by hanging up.

    Order of the real thing: the room, the participant, then the webhook (rest.md 15). Raises
    ExpectationError when the webhook is not answered with 2xx or nobody joins in time.
    """
    host = dialled.host(world.sip_host)
    target, signer, source, auth_id = _receiver(world, host, webhook)
    async with open_target(target, path=path) as door:
        caller = _arrive(world, dialled, host, wpm)
        if auth_id:
            with contextlib.suppress(AccessError, LiveKitError):
                claim(world.state.livekit, caller.room.name, auth_id)
        hook = _announce(signer, caller, dialled, host, world)
        try:
            with outside("the agent to answer") if isinstance(target, str) else _NOTHING:
                await _answered(world, caller, door, hook, source)
            yield caller
        finally:
            await caller.hangs_up()
            await _over(caller)


_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


def _receiver(
    world: World, host: str, webhook: Target | None
) -> tuple[Target, WebhookSigner, str, str]:
    """Who is told of the call, who signs, with what, and the tenant the room is claimed for."""
    if webhook is not None:
        return webhook, WebhookSigner(), secret_source(), ""
    hook = world.state.hooks.find(host)
    if hook is None:
        known = ", ".join(repr(hook.host) for hook in world.state.hooks.listed()) or "none"
        raise LookupError(
            f"no webhook= was given and no SIP hook is registered for {host!r} (hooks: {known})"
        )
    signer = WebhookSigner(world.state.hooks.secret(hook))
    return hook.url, signer, f"the secret of the hook for {host!r}", hook.auth_id.strip()


def _arrive(world: World, dialled: Dialled, host: str, wpm: float) -> RoomCaller:
    """Put the caller into a new room, with the attributes LiveKit's SIP service gives it."""
    state, number = world.state, dialled.from_number
    prefix = state.settings.sip.room_prefix if state.settings.sip else "sip-"
    room = state.rooms.create(f"{prefix}_{number}_{state.ids.sid('')[1:5]}")
    headers = {"to": f"<sip:{dialled.to_number}@{host}>", "from": f"<sip:{number}@{host}>"}
    headers |= {name.lower(): value for name, value in dialled.headers.items()}
    participant = Participant(
        f"sip_{number}",
        dialled.name or f"Phone {number}",
        kind="SIP",
        attributes={
            "sip.callID": state.ids.sid("SCL"),
            "sip.callStatus": "active",
            "sip.phoneNumber": number,
            "sip.trunkPhoneNumber": dialled.to_number,
            **{f"sip.h.{name}": value for name, value in headers.items()},
        },
    )
    room.join(participant)
    room.publish_track(participant.identity)
    return RoomCaller(room, participant, world.journal, world.sessions, wpm=wpm)


def _announce(
    signer: WebhookSigner, caller: RoomCaller, dialled: Dialled, host: str, world: World
) -> SignedWebhook:
    participant = caller.participant
    sip = world.state.settings.sip
    return signer.sip_call(
        from_=dialled.from_number,
        to=dialled.to_number,
        participant_name=participant.name,
        participant_identity=participant.identity,
        participant_sid=participant.sid,
        room_name=caller.room.name,
        room_sid=caller.room.sid,
        room_prefix=sip.room_prefix if sip else "sip-",
        sip_host=host,
        sip_headers={
            name.removeprefix("sip.h."): value
            for name, value in participant.attributes.items()
            if name.startswith("sip.h.")
        },
        event_id=world.state.ids.sid("EV"),
    )


async def _answered(
    world: World, caller: RoomCaller, door: Door, hook: SignedWebhook, source: str
) -> None:
    """Post the webhook and wait for the agent in the room, both within the limit."""
    joined = world.journal.first(lambda entry: _is_ready(entry, caller.room))
    try:
        async with asyncio.timeout(ANSWER):
            response = await door(hook)
            data = {"event_id": hook.event_id, "status": response.status, **hook.payload}
            refused = not 200 <= response.status < 300
            posted = world.journal.record("webhook", flow="*", data=data, error=refused)
            if refused:
                raise failure(
                    f"the webhook to be answered with 2xx, got {response.status}: "
                    f"{response.text[:500]}",
                    caller.entries,
                    nearest=posted,
                    reason=f"signed with {source}" if response.status in _FORBIDDEN else "",
                )
            await asyncio.wrap_future(joined)
    except TimeoutError:
        raise failure(
            f"a session in the room {caller.room.name!r} within {ANSWER:g} s of the webhook",
            caller.entries,
        ) from None
    except DeliveryError as error:
        raise ExpectationError(str(error)) from error
    finally:
        world.journal.forget(joined)


def _is_ready(entry: Entry, room: Room) -> bool:
    return entry.kind == "ready" and entry.data.get("livekit_room_name") == room.name


async def _over(caller: RoomCaller) -> None:
    """Give the agent's sessions time to end; one that stays is left to the leak report."""
    for session in caller.sessions:
        with contextlib.suppress(ExpectationError):
            await session.wait_for_close(timeout=ANSWER)
    await asyncio.sleep(FAREWELL)

"""LiveKit's webhook in (rest.md 15.1), Sayna's signed webhook out (15.2, 15.4)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sayna_testing.server.rest.bodies import check_size
from sayna_testing.server.rest.context import Context, Limits, Post, PostError
from sayna_testing.server.rest.messages import Response, dump, empty, json_response
from sayna_testing.server.rest.protobuf_json import NotAnEventError, read_event
from sayna_testing.server.rest.tokens import verify
from sayna_testing.server.settings import LiveKitSettings, SipHook
from sayna_testing.server.sip_host import sip_host
from sayna_testing.server.state import ServerState
from sayna_testing.server.tenancy import AccessError, claim
from sayna_testing.server.text import is_blank, trim
from sayna_testing.webhooks.signing import sign

DELIVERY = Limits(total=5.0, connect=0.5)
"""What a receiver has (rest.md 15.4)."""

_URL = re.compile(r"(https?://[^/?#]*)")
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_SIP_HEADER = "sip.h."


async def receive_webhook(context: Context) -> Response:
    """POST `/livekit/webhook`: 200 for every valid event, whatever becomes of it."""
    request, settings = context.request, context.state.settings
    check_size(request)
    livekit = settings.livekit
    if livekit is None:
        return empty(503)
    authorization = request.header("authorization") or ""
    if not authorization or not _PRINTABLE.fullmatch(authorization):
        return empty(401)
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return empty(400)
    if not _is_signed(authorization.removeprefix("Bearer "), livekit, request.body):
        return empty(401)
    try:
        event = read_event(request.body)
    except NotAnEventError:
        return empty(400)
    announcement = _announcement(context.state, event)
    if announcement is not None:
        context.state.spawn(_deliver(context.state, announcement, context.post))
    return json_response({"status": "received"})


def _is_signed(token: str, livekit: LiveKitSettings, body: bytes) -> bool:
    claims = verify(token, livekit.api_secret, livekit.api_key)
    if claims is None or not isinstance(claims.get("sha256"), str):
        return False
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return hmac.compare_digest(claims["sha256"].encode(), digest.encode())


@dataclass(frozen=True, slots=True)
class _Announcement:
    hook: SipHook
    secret: str
    event_id: str
    room: str
    body: bytes


def _announcement(state: ServerState, event: Mapping[str, Any]) -> _Announcement | None:
    """What is to be sent for an event; None unless all of 15.2 holds."""
    participant, room = event.get("participant"), event.get("room")
    if event.get("event") != "participant_joined" or participant is None or room is None:
        return None
    attributes: Mapping[str, str] = participant.get("attributes", {})
    caller, called = attributes.get("sip.phoneNumber"), attributes.get("sip.trunkPhoneNumber")
    host = sip_host(attributes)
    hook = None if host is None else state.hooks.find(host)
    secret = None if hook is None else state.hooks.secret(hook)
    if hook is None or secret is None or caller is None or called is None:
        return None
    body = {
        "participant": {key: participant.get(key, "") for key in ("name", "identity", "sid")},
        "room": {key: room.get(key, "") for key in ("name", "sid")},
        "from_phone_number": caller,
        "to_phone_number": called,
        "room_prefix": state.settings.sip.room_prefix if state.settings.sip else "",
        "sip_host": host,
        "sip_headers": {
            name.removeprefix(_SIP_HEADER): value
            for name, value in attributes.items()
            if name.startswith(_SIP_HEADER)
        },
    }
    return _Announcement(hook, secret, event.get("id", ""), room.get("name", ""), dump(body))


async def _deliver(state: ServerState, announcement: _Announcement, post: Post) -> None:
    """Claim the room, then post once; failures are nobody's but the log's (15.2, 15.4)."""
    hook = announcement.hook
    if not is_blank(hook.auth_id):
        with suppress(AccessError):
            claim(state.livekit, announcement.room, trim(hook.auth_id))
    url = _URL.match(hook.url)
    if url is None or not _PRINTABLE.fullmatch(announcement.event_id):
        return
    async with state.webhook_places(url[1]):
        signed = sign(announcement.body, event_id=announcement.event_id, secret=announcement.secret)
        with suppress(PostError):
            await post(hook.url, signed.header_pairs, signed.body, DELIVERY)

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from freezegun import freeze_time

from sayna_testing.clock import virtual_time
from sayna_testing.server.rest import Headers, Limits, Posted
from sayna_testing.server.settings import LiveKitSettings, ServerSettings, SipHook, SipSettings
from sayna_testing.server.sip_host import parse_host
from tests.server.asking import Rest

SECRET = "fake-sayna-hook-secret-0001"
LIVEKIT = LiveKitSettings(api_key="LKkey", api_secret="livekit-secret-of-32-characters-x")


def hooked(url: str = "https://hook.example/sip", **changes: Any) -> ServerSettings:
    one = SipHook(host="acme-voice.example", url=url, **changes)
    return ServerSettings(
        livekit=LIVEKIT, sip=SipSettings(hooks=(one,), hook_secret=f" {SECRET}\n")
    )


HOOKED = hooked()
ATTRIBUTES = {
    "sip.h.to": "<sip:+442071838750@acme-voice.example>",
    "sip.phoneNumber": "+447700900123",
    "sip.trunkPhoneNumber": "+442071838750",
}


def joined(**attributes: str) -> dict[str, Any]:
    return {
        "event": "participant_joined",
        "id": "EV_7f3QxW2kLm9a",
        "room": {"name": "sip-_+447700900123_k2Wd", "sid": "RM_h5JvLs0PqEuT"},
        "participant": {
            "name": "Phone +447700900123",
            "identity": "sip_+447700900123",
            "sid": "PA_q8ZtR4mNcXyB",
            "attributes": ATTRIBUTES | attributes,
        },
    }


def token(body: bytes, secret: str = LIVEKIT.api_secret, **changes: Any) -> str:
    """Sign claims; whole numbers in `exp` and `nbf` are seconds from now."""
    claims = {
        "iss": "LKkey",
        "exp": 60,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    kept: dict[str, Any] = {
        name: value for name, value in (claims | changes).items() if value is not None
    }
    for name in ("exp", "nbf"):
        if isinstance(kept.get(name), int):
            kept[name] += int(time.time())
    return jwt.encode(kept, secret, "HS256")


async def deliver(rest: Rest, event: object, **changes: Any) -> int:
    """Post an event, wait for what follows, return the status."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    response = await rest(
        "POST", "/livekit/webhook", body, authorization=f"Bearer {token(body, **changes)}"
    )
    await rest.settled()
    if response.status == 200:
        assert response.body == b'{"status":"received"}'
    else:
        assert response.headers == (("content-length", "0"),)
    return response.status


async def test_webhook_is_signed_over_the_bytes_that_are_sent() -> None:
    rest = Rest(HOOKED)
    with freeze_time("2026-01-01"):
        assert await deliver(rest, joined()) == 200
    (sent,) = rest.outgoing
    assert sent.url == "https://hook.example/sip"
    assert sent.limits == (5.0, 0.5)
    assert sent.headers == (
        ("content-type", "application/json"),
        (
            "x-sayna-signature",
            "v1=626057eabca24262516d748b249800754c2ce0397faa489f2758c6b49e6ecdbb",
        ),
        ("x-sayna-timestamp", "1767225600"),
        ("x-sayna-event-id", "EV_7f3QxW2kLm9a"),
        ("x-sayna-signature-version", "v1"),
        ("user-agent", "sayna-req-manager/2.0"),
        ("accept", "*/*"),
    )
    assert sent.body == (
        b'{"participant":{"name":"Phone +447700900123","identity":"sip_+447700900123",'
        b'"sid":"PA_q8ZtR4mNcXyB"},"room":{"name":"sip-_+447700900123_k2Wd",'
        b'"sid":"RM_h5JvLs0PqEuT"},"from_phone_number":"+447700900123",'
        b'"to_phone_number":"+442071838750","room_prefix":"sip-",'
        b'"sip_host":"acme-voice.example",'
        b'"sip_headers":{"to":"<sip:+442071838750@acme-voice.example>"}}'
    )


@pytest.mark.parametrize(
    "event",
    [
        {},
        {**joined(), "event": "participant_left"},
        {**joined(), "room": None},
        {**joined(), "participant": None},
        {**joined(), "participant": {"attributes": {"sip.h.to": "sip:1@acme-voice.example"}}},
        joined(**{"sip.h.to": "sip:1@acme-voice.example:5060"}),
        joined(**{"sip.h.x-to-ip": "nonsense"}),
        {**joined(), "id": "line\nbreak"},
    ],
)
async def test_nothing_is_sent_for_other_events(event: object) -> None:
    rest = Rest(HOOKED)
    assert await deliver(rest, event) == 200
    assert rest.outgoing == []


@pytest.mark.parametrize("url", ["HTTPS://hook.example", "ftp://hook.example", "", "hook"])
async def test_hook_of_another_scheme_fails_silently(url: str) -> None:
    rest = Rest(hooked(url))
    assert await deliver(rest, joined()) == 200
    assert rest.outgoing == []


async def test_hook_without_any_secret_is_not_sent() -> None:
    sip = SipSettings(
        hooks=(SipHook(host="acme-voice.example", url="https://x"),), hook_secret=None
    )
    rest = Rest(ServerSettings(livekit=LIVEKIT, sip=sip))
    assert await deliver(rest, joined()) == 200
    assert rest.outgoing == []


async def test_own_secret_of_a_hook_signs() -> None:
    rest = Rest(hooked(secret=" a-secret-of-its-own "))
    await deliver(rest, joined())
    (sent,) = rest.outgoing
    headers = dict(sent.headers)
    message = f"v1:{headers['x-sayna-timestamp']}:EV_7f3QxW2kLm9a:".encode() + sent.body
    digest = hmac.new(b"a-secret-of-its-own", message, hashlib.sha256).hexdigest()
    assert headers["x-sayna-signature"] == f"v1={digest}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{"auth_id":"acme"}'),
        ('{"auth_id":"globex"}', '{"auth_id":"globex"}'),
        ("not json", "not json"),
    ],
)
async def test_hook_claims_the_room_and_is_sent_in_every_case(before: str, after: str) -> None:
    rest = Rest(hooked(auth_id="acme"))
    room = rest.state.rooms.create("sip-_+447700900123_k2Wd", metadata=before)
    await deliver(rest, joined())
    assert room.metadata == after
    assert len(rest.outgoing) == 1


async def test_unreachable_hook_is_posted_once() -> None:
    rest = Rest(hooked(auth_id="acme"))
    rest.answers = [None, Posted(500, b"")]
    assert await deliver(rest, joined()) == 200
    assert len(rest.outgoing) == 1


def test_three_deliveries_at_once_go_to_one_host() -> None:
    class Slow(Rest):
        async def post(self, url: str, headers: Headers, body: bytes, limits: Limits) -> Posted:
            await asyncio.sleep(1.0)
            return await super().post(url, headers, body, limits)

    async def four() -> float:
        rest = Slow(HOOKED)
        start = asyncio.get_running_loop().time()
        await asyncio.gather(*(deliver(rest, joined()) for _ in range(4)))
        assert len(rest.outgoing) == 4
        return asyncio.get_running_loop().time() - start

    with virtual_time():
        assert asyncio.run(four()) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"iss": None}, 200),
        ({"exp": -30}, 200),
        ({"nbf": 30}, 200),
        ({"exp": None}, 401),
        ({"exp": "soon"}, 401),
        ({"exp": -3600}, 401),
        ({"nbf": 3600}, 401),
        ({"iss": "LKother"}, 401),
        ({"aud": "x"}, 401),
        ({"sha256": None}, 401),
        ({"sha256": "%%"}, 401),
        ({"sha256": hashlib.sha256(b"{}").hexdigest()}, 401),
        ({"secret": "another-secret-of-32-characters-x"}, 401),
    ],
)
async def test_token_must_cover_the_body_and_be_valid_now(
    changes: dict[str, Any], status: int
) -> None:
    assert await deliver(Rest(HOOKED), {}, **changes) == status


@pytest.mark.parametrize("value", [None, "", "Bearer", "x.y.z", "caf\xe9", "Bearer  x"])
async def test_webhook_without_a_token_is_refused(value: str | None) -> None:
    headers = {} if value is None else {"authorization": value}
    response = await Rest(HOOKED)("POST", "/livekit/webhook", b"{}", **headers)
    assert (response.status, response.body) == (401, b"")


async def test_token_may_stand_alone_but_must_hold_an_object() -> None:
    rest = Rest(HOOKED)
    bare = await rest("POST", "/livekit/webhook", b"{}", authorization=token(b"{}"))
    assert bare.status == 200
    listed = jwt.PyJWS().encode(b"[]", LIVEKIT.api_secret, "HS256")
    refused = await rest("POST", "/livekit/webhook", b"{}", authorization=listed)
    assert refused.status == 401


async def test_webhook_checks_size_and_text_around_the_token() -> None:
    rest = Rest(HOOKED)
    assert await rest.error("POST", "/livekit/webhook", b" " * (2 * 2**20 + 1)) == (
        413,
        "Failed to buffer the request body: length limit exceeded",
    )
    garbled = await rest("POST", "/livekit/webhook", b"\xff", authorization="x")
    assert (garbled.status, garbled.body) == (400, b"")
    off = await Rest(ServerSettings(livekit=None))("POST", "/livekit/webhook", b"\xff")
    assert (off.status, off.body) == (503, b"")


@pytest.mark.parametrize(
    "event",
    [
        {"created_at": "1767225600", "createdAt2": None, "numDropped": 2, "egressInfo": {"x": 1}},
        {"room": {"creationTime": 1, "enabled_codecs": [{"mime": "audio/opus"}], "new": {}}},
        {"participant": {"kind": 3, "state": "ACTIVE", "isPublisher": True, "permission": None}},
        {"participant": {"tracks": [{"type": "AUDIO", "source": 2}]}, "track": None},
    ],
)
async def test_event_in_protobuf_json_is_taken(event: object) -> None:
    assert await deliver(Rest(HOOKED), event) == 200


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"[]",
        b'{"id":"a","id":"b"}',
        b'{"createdAt":1,"created_at":1}',
        {"id": None},
        {"id": 7},
        {"createdAt": 1.5},
        {"createdAt": True},
        {"createdAt": str(2**63)},
        {"createdAt": "soon"},
        {"room": []},
        {"room": {"activeRecording": 1}},
        {"room": {"enabledCodecs": {}}},
        {"participant": {"kind": "CONNECTOR"}},
        {"participant": {"kind": 5}},
        {"participant": {"kind": True}},
        {"participant": {"attributes": []}},
        {"participant": {"attributes": {"a": 1}}},
        {"participant": {"tracks": [None]}},
    ],
)
async def test_what_is_no_event_is_refused(event: object) -> None:
    assert await deliver(Rest(HOOKED), event) == 400


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("sip:4021@Acme-Voice.example", "acme-voice.example"),
        (
            '"Front Desk" <sip:4021@acme-voice.example;user=phone>;tag=9x',
            "acme-voice.example",
        ),
        ("sips:4021@secure.acme.example", "secure.acme.example"),
        ("sip:4021@acme-voice.example:5060", "acme-voice.example:5060"),
        ("acme-voice.example:5060", "acme-voice.example"),
        ("203.0.113.9:5080", "203.0.113.9"),
        ("<203.0.113.9:5080;transport=udp>", "203.0.113.9"),
        ("sip:a@b@ acme.example ", "b@ acme.example"),
        ("sip:acme-voice.example", None),
        ("4021@acme-voice.example", None),
        ("SIP:4021@acme-voice.example", None),
        ("<sip:4021@acme-voice.example", None),
        ("localhost:5060", None),
        ("a b.example", None),
        ("", None),
    ],
)
def test_host_of_a_sip_header(header: str, host: str | None) -> None:
    assert parse_host(header) == host

"""What forgeries do to a request: other bytes or headers, with the old signature or a new one."""

import base64
import dataclasses
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

from sayna_testing.webhooks.moment import wall_clock
from sayna_testing.webhooks.request import SignedWebhook
from sayna_testing.webhooks.signing import compact, sign, signature

Change = Callable[[SignedWebhook], SignedWebhook]

HUGE = 2 * 1024 * 1024
"""Bytes of the huge body: as large as the largest event that Sayna itself takes (rest.md 15.1)."""

_SIGNATURE = "x-sayna-signature"


def same(hook: SignedWebhook) -> SignedWebhook:
    """Change nothing."""
    return hook


def with_body(change: Callable[[bytes], bytes]) -> Change:
    """Change the bytes of the body under the old signature."""
    return lambda hook: dataclasses.replace(hook, body=change(hook.body))


def with_json(write: Callable[[Any], bytes]) -> Change:
    """Write the body anew under the old signature."""
    return lambda hook: dataclasses.replace(hook, body=write(hook.payload))


def signed_json(write: Callable[[Any], bytes]) -> Change:
    """Write the body anew and sign it."""
    return lambda hook: signed(hook, body=write(hook.payload))


def signed_fields(**fields: Any) -> Change:
    """Set fields of the payload and sign it."""
    return signed_json(lambda payload: compact({**payload, **fields}))


def signed_without(*path: str) -> Change:
    """Leave one field out, named from the outside in, and sign what is left."""

    def write(payload: Any) -> bytes:
        place = payload
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        return compact(payload)

    return signed_json(write)


def signed_with(secret: Callable[[str], str]) -> Change:
    """Sign with another secret, made from the right one."""
    return lambda hook: signed(hook, secret=secret(hook.secret))


def signed_stamp(write: Callable[[int], str]) -> Change:
    """Write the timestamp in another way and sign it."""

    def change(hook: SignedWebhook) -> SignedWebhook:
        stamp = write(hook.timestamp)
        value = signature(hook.secret, stamp, hook.event_id, hook.body)
        return with_header(_SIGNATURE, value)(with_header("x-sayna-timestamp", stamp)(hook))

    return change


def signed_at(seconds: int) -> Change:
    """Sign so many seconds after the present moment, before it if negative."""
    return lambda hook: signed(hook, at=_present(hook) + seconds)


def signed(
    hook: SignedWebhook,
    *,
    body: bytes | None = None,
    secret: str | None = None,
    at: int | None = None,
) -> SignedWebhook:
    """Sign the request anew, with something else than before."""
    again = sign(
        hook.body if body is None else body,
        event_id=hook.event_id,
        secret=hook.secret if secret is None else secret,
        at=hook.timestamp if at is None else at,
    )
    return dataclasses.replace(again, pinned=hook.pinned)


def with_header(name: str, *values: str | Callable[[str], str]) -> Change:
    """Give one header other values, or none; functions make a value from the old one."""

    def change(hook: SignedWebhook) -> SignedWebhook:
        old = hook.headers[name]
        new = tuple((name, value if isinstance(value, str) else value(old)) for value in values)
        kept = tuple(pair for pair in hook.header_pairs if pair[0] != name)
        return dataclasses.replace(hook, header_pairs=kept + new)

    return change


def with_signature(write: Callable[[str], str]) -> Change:
    """Write the signature in another way, given the 64 hex digits that are right."""
    return with_header(_SIGNATURE, lambda value: write(value.removeprefix("v1=")))


def title_case(hook: SignedWebhook) -> SignedWebhook:
    """Write the names of headers as `X-Sayna-Signature`."""
    pairs = tuple((name.title(), value) for name, value in hook.header_pairs)
    return dataclasses.replace(hook, header_pairs=pairs)


def flip_digit(body: bytes) -> bytes:
    """Flip one bit of the caller's number, which leaves a digit and so good JSON."""
    start = body.index(b'"from_phone_number":"') + len(b'"from_phone_number":"')
    last = body.index(b'"', start) - 1
    return body[:last] + bytes([body[last] ^ 1]) + body[last + 1 :]


def reversed_keys(payload: Any) -> bytes:
    """Write the same fields in the opposite order."""
    return compact(dict(reversed(payload.items())))


def start_into_event_id(hook: SignedWebhook) -> SignedWebhook:
    """Move the start of the body to the end of the event id: the signed message stays the same."""
    start, _, rest = hook.body.partition(b":")
    moved = dataclasses.replace(hook, body=rest)
    return with_header("x-sayna-event-id", f"{hook.event_id}:{start.decode()}")(moved)


def body_alone_signed(hook: SignedWebhook) -> SignedWebhook:
    """Sign the body only, as webhooks of other services are."""
    digest = hmac.digest(hook.secret.encode(), hook.body, hashlib.sha256)
    return with_signature(lambda _: f"v1={digest.hex()}")(hook)


def in_base64(digits: str) -> str:
    """Write the digest in base64 instead of hex."""
    return "v1=" + base64.b64encode(bytes.fromhex(digits)).decode()


def _present(hook: SignedWebhook) -> int:
    """The second that the receiver takes for the present one; the hook's own if a test named it."""
    if hook.pinned:
        return hook.timestamp
    left = 1 - wall_clock() % 1
    if left < 0.3 and time.time_ns() != time.time_ns():  # a clock that runs, and is about to turn
        time.sleep(left)
    return int(wall_clock())

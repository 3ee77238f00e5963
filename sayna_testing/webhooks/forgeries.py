"""Webhooks that are wrong in one way each, or unusual and just right, with the verdict on each."""

import dataclasses
import json

from sayna_testing.webhooks.changes import (
    HUGE,
    Change,
    body_alone_signed,
    flip_digit,
    in_base64,
    reversed_keys,
    same,
    signed_at,
    signed_fields,
    signed_json,
    signed_stamp,
    signed_with,
    signed_without,
    start_into_event_id,
    title_case,
    with_body,
    with_header,
    with_json,
    with_signature,
)
from sayna_testing.webhooks.request import SignedWebhook
from sayna_testing.webhooks.signing import compact

__all__ = ["Forgery", "forgeries"]


@dataclasses.dataclass(frozen=True)
class Forgery:
    """One way to change a genuine webhook; `str()` is its name, made for test ids.

    `accepted` is the verdict that the changed request deserves, `why` the reason.
    """

    name: str
    accepted: bool
    why: str
    change: Change = dataclasses.field(repr=False)
    repeats: bool = dataclasses.field(default=False, repr=False)

    def __str__(self) -> str:
        return self.name

    def apply(self, hook: SignedWebhook) -> SignedWebhook:
        """The changed request; `hook` is one that `sip_call()` made and stays as it is."""
        return self.change(hook)

    def requests(self, hook: SignedWebhook) -> tuple[SignedWebhook, ...]:
        """What to send, in order; the verdict is on the last. More than one only for a replay."""
        return (hook, self.change(hook)) if self.repeats else (self.change(hook),)


def forgeries(*, tolerance: int = 300, duplicates: bool = False) -> list[Forgery]:
    """Every way to be wrong or just right, made for `pytest.mark.parametrize(…, ids=str)`.

    `tolerance` is the receiver's, in seconds. With `duplicates=True` it is one that refuses an
    event id that it has seen: then send all of `forgery.requests(hook)`, the last one counts.
    """
    return [
        *(Forgery(name, True, why, change) for name, why, change in _RIGHT),
        *(Forgery(name, False, why, change) for name, why, change in _WRONG),
        *_edges(tolerance),
        *_replays(duplicates),
    ]


def _edges(tolerance: int) -> list[Forgery]:
    """The last moments that are accepted, and those a second further off."""
    kept = f"{tolerance} s is what the receiver tolerates, to either side and to the second."
    return [
        Forgery(f"signed-{seconds}s-{side}", seconds == tolerance, kept, signed_at(sign * seconds))
        for seconds in (tolerance, tolerance + 1)
        for side, sign in (("ago", -1), ("ahead", 1))
    ]


def _replays(refused: bool) -> list[Forgery]:
    """A request that came before, and another with its event id."""
    why = (
        "The event id came before, and this receiver remembers ids."
        if refused
        else "Nothing is wrong with it: only a receiver that remembers event ids can tell."
    )
    return [
        Forgery(name, not refused, why, change, repeats=refused)
        for name, change in (("replayed", same), ("replayed-id", signed_json(reversed_keys)))
    ]


_RIGHT: tuple[tuple[str, str, Change], ...] = (
    ("untouched", "It is as Sayna sends it.", same),
    (
        "signature-in-upper-case",
        "Hex digits mean the same in either case.",
        with_signature(lambda digits: "v1=" + digits.upper()),
    ),
    ("header-names-in-title-case", "Names of HTTP headers have no case.", title_case),
    (
        "signature-version-missing",
        "The signature itself says its version.",
        with_header("x-sayna-signature-version"),
    ),
    ("field-added", "It is signed, and a newer server may say more.", signed_fields(region="eu")),
    (
        "signed-with-spaces",
        "These bytes were signed, whatever their layout.",
        signed_json(lambda payload: json.dumps(payload, indent=2).encode()),
    ),
    (
        "signed-with-accents",
        "Text outside ASCII is signed as the UTF-8 that came.",
        signed_fields(
            sip_headers={"to": "Zoë <sip:+442079460123@café.example>", "subject": "こん"}
        ),
    ),
    ("sip-headers-missing", "A receiver can do without.", signed_without("sip_headers")),
)

_NOT_SIGNED = "It means the same, but these bytes were not signed."
_WRONG: tuple[tuple[str, str, Change], ...] = (
    # another body under the old signature
    ("byte-flipped", "A digit of the caller's number was changed.", with_body(flip_digit)),
    ("re-serialised", _NOT_SIGNED, with_json(lambda payload: json.dumps(payload).encode())),
    ("key-order-changed", _NOT_SIGNED, with_json(reversed_keys)),
    ("newline-added", "One byte more than was signed.", with_body(lambda body: body + b"\n")),
    (
        "bom-added",
        "Three bytes more than were signed.",
        with_body(lambda body: b"\xef\xbb\xbf" + body),
    ),
    ("cut-short", "One byte less than was signed.", with_body(lambda body: body[:-1])),
    ("emptied", "Nothing of what was signed came.", with_body(lambda _: b"")),
    (
        "start-moved-into-event-id",
        "The signature holds, for the same message is signed, but what is left is no JSON.",
        start_into_event_id,
    ),
    # another body, rightly signed
    ("empty", "Signed, but no JSON.", signed_json(lambda _: b"")),
    (
        "non-utf-8",
        "Signed, but JSON is UTF-8.",
        signed_json(lambda payload: compact(payload).replace(b"+", b"\xff")),
    ),
    (
        "signed-bom",
        "Signed, but JSON has no byte order mark.",
        signed_json(lambda payload: b"\xef\xbb\xbf" + compact(payload)),
    ),
    ("json-null", "Signed, but no call.", signed_json(lambda _: b"null")),
    ("json-array", "Signed, but no call.", signed_json(lambda payload: compact([payload]))),
    (
        "caller-missing",
        "Signed, but from_phone_number is not there.",
        signed_without("from_phone_number"),
    ),
    (
        "identity-missing",
        "Signed, but participant.identity is not there.",
        signed_without("participant", "identity"),
    ),
    ("room-missing", "Signed, but room is not there.", signed_without("room")),
    (
        "number-for-text",
        "Signed, but a phone number is text.",
        signed_fields(from_phone_number=447700900123),
    ),
    (
        "sip-header-no-text",
        "Signed, but SIP headers hold text.",
        signed_fields(sip_headers={"to": None}),
    ),
    (
        "huge",
        f"Signed, but nobody needs {HUGE:,} bytes to tell of a call.",
        signed_fields(sip_headers={"to": "x" * HUGE}),
    ),
    # another secret or message
    (
        "other-secret",
        "Who signed it does not know the secret.",
        signed_with(lambda secret: secret[:-1] + chr(ord(secret[-1]) ^ 1)),
    ),
    ("no-secret", "It is signed with an empty secret.", signed_with(lambda _: "")),
    (
        "body-alone-signed",
        "The signature covers neither timestamp nor event id.",
        body_alone_signed,
    ),
    (
        "event-id-swapped",
        "The event id is signed too.",
        with_header("x-sayna-event-id", lambda value: value[:-1] + chr(ord(value[-1]) ^ 1)),
    ),
    (
        "timestamp-swapped",
        "The timestamp is signed too.",
        with_header("x-sayna-timestamp", lambda value: str(int(value) - 1)),
    ),
    (
        "timestamp-in-milliseconds",
        "Signed, but for a moment far ahead.",
        signed_stamp(lambda seconds: f"{seconds}000"),
    ),
    ("timestamp-no-number", "Signed, but when?", signed_stamp(lambda _: "now")),
    # other headers
    ("signature-missing", "It is not signed.", with_header("x-sayna-signature")),
    ("timestamp-missing", "Its age is unknown.", with_header("x-sayna-timestamp")),
    ("event-id-missing", "A part of what was signed is gone.", with_header("x-sayna-event-id")),
    ("signature-empty", "It is not signed.", with_header("x-sayna-signature", "")),
    (
        "signature-short",
        "A part of a signature proves less than all of it.",
        with_signature(lambda digits: "v1=" + digits[:-1]),
    ),
    ("signature-long", "It has a digit too many.", with_signature(lambda digits: f"v1={digits}0")),
    ("signature-v0", "There is no such version.", with_signature(lambda digits: "v0=" + digits)),
    (
        "signature-without-version",
        "It does not say how it was made.",
        with_signature(lambda digits: digits),
    ),
    (
        "signature-doubled",
        "One value is expected, not a list.",
        with_signature(lambda digits: f"v1={digits},v1={digits}"),
    ),
    ("signature-no-hex", "These are no hex digits.", with_signature(lambda _: "v1=" + "x" * 64)),
    ("signature-in-base64", "The digits are of another base.", with_signature(in_base64)),
    (
        "signature-header-repeated",
        "Of two signatures, which is meant?",
        with_header("x-sayna-signature", "v1=" + "0" * 64, lambda value: value),
    ),
    (
        "timestamp-header-repeated",
        "Of two timestamps, which was signed?",
        with_header("x-sayna-timestamp", "0", lambda value: value),
    ),
    (
        "event-id-header-repeated",
        "Of two event ids, which was signed?",
        with_header("x-sayna-event-id", "EV_another", lambda value: value),
    ),
)

"""Each way in which signatures fail in practice, and the words that say so."""

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from sayna_testing.webhooks import (
    WEBHOOK_SECRET,
    SignedWebhook,
    WebhookSigner,
    explain,
    forgeries,
    sign,
    signature,
)

SECRET = "the-secret-of-these-tests"
NOW = 1767225600
HOOK = (
    WebhookSigner(SECRET)
    .at(NOW)
    .sip_call(
        participant_name="Zoë",
        sip_headers={"to": "<sip:+442079460123@x.example>", "call-id": "7", "from": "<sip:a@b>"},
    )
)


def cause(hook: SignedWebhook, secret: str = SECRET) -> str:
    explanation = explain(hook.headers, hook.body, secret, at=NOW)
    assert explanation.verified is (explanation.cause == "nothing")
    assert str(explanation) == explanation.text
    return explanation.cause


def body(change: Callable[[bytes], bytes]) -> SignedWebhook:
    return dataclasses.replace(HOOK, body=change(HOOK.body))


def signed(key: bytes, message: bytes, hook: SignedWebhook = HOOK) -> SignedWebhook:
    """The hook with a signature made in some other way."""
    return header("x-sayna-signature", "v1=" + hmac.digest(key, message, "sha256").hex(), hook)


def header(name: str, value: str, hook: SignedWebhook = HOOK) -> SignedWebhook:
    pairs = tuple((key, value if key == name else old) for key, old in hook.header_pairs)
    return dataclasses.replace(hook, header_pairs=pairs)


def at(moment: int) -> SignedWebhook:
    return sign(HOOK.body, event_id="EV_1", secret=SECRET, at=moment)


def as_json(**settings: Any) -> Callable[[bytes], bytes]:
    return lambda raw: json.dumps(json.loads(raw), **settings).encode()


def swapped_headers(raw: bytes) -> bytes:
    payload = json.loads(raw)
    payload["sip_headers"] = dict(reversed(payload["sip_headers"].items()))
    payload["room"] = dict(reversed(payload["room"].items()))
    return json.dumps(payload).encode()


STAMP, ID = str(NOW).encode(), HOOK.event_id.encode()
KEY = SECRET.encode()

CASES: list[tuple[str, SignedWebhook]] = [
    ("nothing", HOOK),
    ("re-serialised JSON", body(as_json())),
    ("re-serialised JSON", body(as_json(indent=2, ensure_ascii=False))),
    ("re-serialised JSON", body(as_json(sort_keys=True))),
    ("re-serialised JSON", body(swapped_headers)),
    ("added white space", body(lambda raw: raw + b"\n")),
    ("added white space", body(lambda raw: b" " + raw + b"\r\n")),
    ("an added byte order mark", body(lambda raw: b"\xef\xbb\xbf" + raw)),
    ("a wrong character set", body(lambda raw: raw.decode("latin-1").encode())),
    ("a body in base64", body(base64.b64encode)),
    ("JSON within JSON", body(lambda raw: json.dumps(raw.decode()).encode())),
    ("bytes lost in decoding", body(lambda raw: raw.replace("ë".encode(), b"\xef\xbf\xbd"))),
    ("another secret, or a changed request", body(lambda raw: raw[:-1])),
    ("another secret, or a changed request", signed(b"quite-another-secret", HOOK.body)),
    ("the secret of tests", sign(HOOK.body, event_id="EV_1", secret=WEBHOOK_SECRET, at=NOW)),
    ("an empty secret", sign(HOOK.body, event_id="EV_1", secret="", at=NOW)),
    ("only the body signed", signed(KEY, HOOK.body)),
    ("no version signed", signed(KEY, STAMP + b":" + ID + b":" + HOOK.body)),
    ("no event id signed", signed(KEY, b"v1:" + STAMP + b":" + HOOK.body)),
    ("no event id", signed(KEY, b"v1:" + STAMP + b"::" + HOOK.body)),
    ("dots for colons", signed(KEY, b"v1." + STAMP + b"." + ID + b"." + HOOK.body)),
    ("event id before timestamp", signed(KEY, b"v1:" + ID + b":" + STAMP + b":" + HOOK.body)),
    (
        "a hash without a key",
        header(
            "x-sayna-signature",
            "v1=" + hashlib.sha256(b"v1:" + STAMP + b":" + ID + b":" + HOOK.body).hexdigest(),
        ),
    ),
    ("a timestamp in milliseconds", header("x-sayna-timestamp", f"{NOW}123")),
    ("a timestamp in milliseconds", signed(KEY, b"v1:" + STAMP + b"000:" + ID + b":" + HOOK.body)),
    ("a timestamp with a fraction", header("x-sayna-timestamp", f"{NOW}.5")),
    ("white space around the timestamp", header("x-sayna-timestamp", f" {NOW}")),
    ("white space around the event id", header("x-sayna-event-id", f" {HOOK.event_id} ")),
    ("a malformed signature", header("x-sayna-signature", "v0=" + "0" * 64)),
    ("a malformed signature", header("x-sayna-signature", "v1=" + "0" * 63)),
    ("x-sayna-signature missing", header("x-sayna-signature", "")),
    ("x-sayna-event-id missing", header("x-sayna-event-id", "")),
    ("x-sayna-signature repeated", header("x-sayna-signature", "v1=" + "0" * 64 + ",v1=1")),
    ("a timestamp outside the tolerance", at(NOW - 301)),
    ("a timestamp outside the tolerance", at(NOW + 301)),
    ("a timestamp in milliseconds", at(NOW * 1000)),
    (
        "no timestamp",
        header(
            "x-sayna-signature",
            signature(SECRET, "now", HOOK.event_id, HOOK.body),
            header("x-sayna-timestamp", "now"),
        ),
    ),
    (
        "no timestamp",
        header(
            "x-sayna-signature",
            signature(SECRET, "inf", HOOK.event_id, HOOK.body),
            header("x-sayna-timestamp", "inf"),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "hook"), [pytest.param(*case, id=f"{n}-{case[0]}") for n, case in enumerate(CASES)]
)
def test_cause_is_found(expected: str, hook: SignedWebhook) -> None:
    assert cause(hook) == expected


NEWLINE = sign(HOOK.body + b"\n", event_id="EV_1", secret=SECRET, at=NOW)
MARKED = sign(b"\xef\xbb\xbf" + HOOK.body, event_id="EV_1", secret=SECRET, at=NOW)
LINES = sign(b"{\r\n}", event_id="EV_1", secret=SECRET, at=NOW)
BARE_LINES = sign(b"{\n}", event_id="EV_1", secret=SECRET, at=NOW)


@pytest.mark.parametrize(
    ("expected", "hook"),
    [
        ("a stripped newline", dataclasses.replace(NEWLINE, body=HOOK.body)),
        ("a stripped byte order mark", dataclasses.replace(MARKED, body=HOOK.body)),
        ("changed line ends", dataclasses.replace(LINES, body=b"{\n}")),
        ("changed line ends", dataclasses.replace(BARE_LINES, body=b"{\r\n}")),
    ],
)  # fmt: skip
def test_lost_bytes_are_found(expected: str, hook: SignedWebhook) -> None:
    assert cause(hook) == expected


HEX = "00112233445566778899aabbccddeeff"
BASE64 = base64.b64encode(b"sixteen or more bytes").decode()


@pytest.mark.parametrize(
    ("expected", "secret", "key"),
    [
        ("nothing", f"  {SECRET}\n", KEY),
        ("white space around the secret", f"{SECRET} ", f"{SECRET} ".encode()),
        ("quotes around the secret", f'"{SECRET}"', KEY),
        ("the secret decoded from hex", HEX, bytes.fromhex(HEX)),
        ("the secret decoded from base64", BASE64, b"sixteen or more bytes"),
    ],
)
def test_mistaken_secret_is_found(expected: str, secret: str, key: bytes) -> None:
    message = b":".join((b"v1", STAMP, ID, HOOK.body))

    assert cause(signed(key, message), secret) == expected


def test_two_faults_at_once_are_found() -> None:
    hook = body(as_json())

    assert cause(hook, f"'{SECRET}'") == "quotes around the secret and re-serialised JSON"


def test_short_secret_is_mentioned() -> None:
    assert "has 5 characters" in explain(HOOK.headers, HOOK.body, "short", at=NOW).text


def test_distance_and_side_are_told() -> None:
    for moment, words in ((NOW + 400, "400 s ago"), (NOW - 400, "400 s ahead")):
        assert words in explain(HOOK.headers, HOOK.body, SECRET, at=moment).text


def test_secret_and_moment_have_the_defaults_of_signer_and_receiver() -> None:
    hook = WebhookSigner().sip_call()

    assert explain(hook.headers, hook.body).verified


@pytest.mark.parametrize(
    "headers",
    [
        CIMultiDict(HOOK.headers),
        list(HOOK.header_pairs),
        [(name.title().encode(), value.encode()) for name, value in HOOK.header_pairs],
        {"HTTP_" + name.upper().replace("-", "_"): value for name, value in HOOK.header_pairs},
        {name: [value] for name, value in HOOK.header_pairs},
        {**HOOK.headers, "x-other": None, "X-SAYNA-SIGNATURE": None},
    ],
    ids=["multidict", "pairs", "ASGI", "WSGI", "lists", "None"],
)
def test_headers_of_all_shapes_are_read(headers: Any) -> None:
    assert explain(headers, HOOK.body.decode(), SECRET, at=NOW).verified


def test_repeated_header_is_found_in_pairs() -> None:
    pairs = [*HOOK.header_pairs, ("x-sayna-event-id", "EV_2")]

    assert explain(pairs, HOOK.body, SECRET, at=NOW).cause == "x-sayna-event-id repeated"


def test_huge_body_is_not_searched() -> None:
    hook = sign(b" " * 100_000, event_id="EV_1", secret=SECRET, at=NOW)

    assert cause(hook) == "nothing"
    assert cause(dataclasses.replace(hook, body=hook.body + b"\n")).startswith("another secret")


@pytest.mark.parametrize("raw", [b"[1, 2]", b'{"sip_headers": 5, "room": 1}'])
def test_any_json_can_be_re_serialised(raw: bytes) -> None:
    compact = raw.replace(b" ", b"")
    hook = sign(compact, event_id="EV_1", secret=SECRET, at=NOW)

    assert cause(dataclasses.replace(hook, body=raw)) == "re-serialised JSON"


def test_no_explanation_shows_secret_signature_or_body() -> None:
    for _, hook in CASES:
        text = repr(explain(hook.headers, hook.body, SECRET, at=NOW))

        assert SECRET not in text
        assert HOOK.headers["x-sayna-signature"][3:12] not in text
        assert HOOK.payload["from_phone_number"] not in text


ODD = st.text(st.characters(codec=None, categories=None), max_size=30) | st.sampled_from(
    ["v1=" + "0" * 64, HOOK.headers["x-sayna-signature"], str(NOW), "-" + "9" * 4300, "1e400"]
)


@settings(max_examples=100, deadline=None)
@given(ODD, ODD, ODD, st.binary(max_size=60) | ODD, ODD)
def test_anything_gets_an_explanation(
    value: str, stamp: str, event_id: str, raw: bytes | str, secret: str
) -> None:
    headers = {"x-sayna-signature": value, "x-sayna-timestamp": stamp, "x-sayna-event-id": event_id}

    assert explain(headers, raw, secret).text


def test_long_number_is_no_timestamp() -> None:
    stamp = "-" + "9" * 4300
    hook = header("x-sayna-timestamp", stamp)
    signed_so = signature(SECRET, stamp, HOOK.event_id, HOOK.body)

    assert cause(header("x-sayna-signature", signed_so, hook)) == "no timestamp"


def test_every_forgery_with_a_bad_signature_gets_an_explanation() -> None:
    hook = WebhookSigner(SECRET).at(NOW).sip_call()
    by_name = {forgery.name: forgery.apply(hook) for forgery in forgeries()}

    found = {
        name: explain(each.header_pairs, each.body, SECRET, at=NOW).cause
        for name, each in by_name.items()
    }

    assert found["re-serialised"] == found["key-order-changed"] == "re-serialised JSON"
    assert found["newline-added"] == "added white space"
    assert found["bom-added"] == "an added byte order mark"
    assert found["no-secret"] == "an empty secret"
    assert found["body-alone-signed"] == "only the body signed"
    assert found["signed-301s-ago"] == "a timestamp outside the tolerance"
    assert found["untouched"] == "nothing"

"""The receiver's contract: sdk-surface.md 9 and its defects 49 and 52-54, rest.md 15.4."""

import hmac
import json
import math
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, assert_type

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

from sayna_client import (
    SaynaError,
    SaynaValidationError,
    SaynaWebhookError,
    SaynaWebhookPayloadError,
    SaynaWebhookReplayError,
    SaynaWebhookSignatureError,
    SaynaWebhookTimestampError,
    SeenEvents,
    WebhookReceiver,
    WebhookSIPOutput,
    webhook_receiver,
)
from sayna_testing.webhooks import SignedWebhook, sign, signature

# The test vector of rest.md 15.4, literally.
SECRET = "fake-sayna-hook-secret-0001"
NOW = 1767225600
EVENT_ID = "EV_7f3QxW2kLm9a"
BODY = (
    b'{"participant":{"name":"Phone +447700900123","identity":"sip_+447700900123",'
    b'"sid":"PA_q8ZtR4mNcXyB"},"room":{"name":"sip-_+447700900123_k2Wd","sid":"RM_h5JvLs0PqEuT"},'
    b'"from_phone_number":"+447700900123","to_phone_number":"+442071838750","room_prefix":"sip-",'
    b'"sip_host":"acme-voice.example","sip_headers":{"to":"<sip:+442071838750@acme-voice.example>"}}'
)
MESSAGE = b"v1:1767225600:EV_7f3QxW2kLm9a:" + BODY
HEADERS = {
    "content-type": "application/json",
    "x-sayna-signature": "v1=626057eabca24262516d748b249800754c2ce0397faa489f2758c6b49e6ecdbb",
    "x-sayna-timestamp": str(NOW),
    "x-sayna-event-id": EVENT_ID,
    "x-sayna-signature-version": "v1",
}


def receiver(secret: Any = SECRET, **settings: Any) -> WebhookReceiver:
    return WebhookReceiver(secret, clock=lambda: NOW, **settings)


def signed(body: bytes | str = BODY, **settings: Any) -> SignedWebhook:
    chosen: dict[str, Any] = {"event_id": EVENT_ID, "secret": SECRET, "at": NOW} | settings
    return sign(body, **chosen)


def test_published_vector_is_accepted_with_event_id_and_timestamp() -> None:
    call = receiver().receive(HEADERS, BODY)

    assert call.from_phone_number == "+447700900123"
    assert call.to_phone_number == "+442071838750"
    assert call.participant.identity == "sip_+447700900123"
    assert call.room.sid == "RM_h5JvLs0PqEuT"
    assert call.sip_headers == {"to": "<sip:+442071838750@acme-voice.example>"}
    assert_type(call, WebhookSIPOutput)
    assert (assert_type(call.event_id, str), assert_type(call.timestamp, int)) == (EVENT_ID, NOW)


def test_event_id_and_timestamp_are_no_part_of_the_payload() -> None:
    call = receiver().receive(HEADERS, BODY)

    assert call.model_dump() == json.loads(BODY)
    assert call == WebhookSIPOutput.model_validate_json(BODY)
    assert "EV_" not in repr(call)


def test_body_cannot_set_event_id_or_timestamp() -> None:
    hook = signed(BODY[:-1] + b',"event_id":5,"timestamp":"x"}')

    call = receiver().receive(hook.headers, hook.body)

    assert (call.event_id, call.timestamp) == (EVENT_ID, NOW)


def test_payload_made_by_hand_has_no_event_id() -> None:
    call = WebhookSIPOutput.model_validate_json(BODY)

    assert (call.event_id, call.timestamp) == ("", 0)


@pytest.mark.parametrize(
    "body",
    [BODY, BODY.decode(), bytearray(BODY), memoryview(BODY)],
    ids=lambda body: type(body).__name__,
)
def test_bodies_of_all_kinds_are_hashed_as_they_came(body: Any) -> None:
    assert receiver().receive(HEADERS, body).room.name == "sip-_+447700900123_k2Wd"


def test_text_outside_ascii_is_verified_as_utf8() -> None:
    hook = signed(BODY.replace(b"Phone", "Zoë".encode()))

    assert (
        receiver().receive(hook.headers, hook.body.decode()).participant.name == "Zoë +447700900123"
    )


SHAPES: dict[str, Callable[[dict[str, str]], Any]] = {
    "dict": dict,
    "title case": lambda h: {name.title(): value for name, value in h.items()},
    "mapping": MappingProxyType,
    "CIMultiDict": CIMultiDict,
    "CIMultiDictProxy": lambda h: CIMultiDictProxy(CIMultiDict(h)),
    "starlette": StarletteHeaders,
    "werkzeug": WerkzeugHeaders,
    "pairs": lambda h: list(h.items()),
    "generator of pairs": lambda h: (pair for pair in h.items()),
    "ASGI": lambda h: [(name.encode(), value.encode()) for name, value in h.items()],
    "ASGI in any case": lambda h: [(n.title().encode(), v.encode()) for n, v in h.items()],
    "WSGI environ": lambda h: {
        "REQUEST_METHOD": "POST",
        "wsgi.version": (1, 0),
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in h.items()},
    },
    "lists of one": lambda h: {name: [value] for name, value in h.items()},
    "bytes values": lambda h: {name: value.encode() for name, value in h.items()},
    "with None": lambda h: {**h, "x-other": None, "X-Sayna-Signature": None},
    "values of other types": lambda h: {**h, "x-sayna-timestamp": NOW},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_headers_of_all_shapes_are_understood(shape: str) -> None:
    assert receiver().receive(SHAPES[shape](HEADERS), BODY).event_id == EVENT_ID


@pytest.mark.parametrize("headers", [None, 5, "abc", [1, 2], [("one",)], {1: "x"}, [(None, "x")]])
def test_impossible_headers_say_what_was_expected(headers: Any) -> None:
    with pytest.raises(SaynaValidationError, match=r"headers must be a mapping.*got ") as caught:
        receiver().receive(headers, BODY)

    assert not isinstance(caught.value, SaynaWebhookError)


@pytest.mark.parametrize("body", [None, {"from": "x"}, 5, [1, 2], 1.5], ids=repr)
def test_parsed_body_is_refused_with_what_came(body: Any) -> None:
    with pytest.raises(SaynaValidationError, match=f"got {type(body).__name__}") as caught:
        receiver().receive(HEADERS, body)

    assert not isinstance(caught.value, SaynaWebhookError)


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in HEADERS.items() if key != name}


@pytest.mark.parametrize("name", ["x-sayna-signature", "x-sayna-timestamp", "x-sayna-event-id"])
@pytest.mark.parametrize("value", [None, "", [], b""], ids=repr)
def test_missing_header_is_named(name: str, value: Any) -> None:
    for headers in (without(name), {**HEADERS, name: value}):
        with pytest.raises(SaynaWebhookSignatureError, match=f"^Missing required header: {name}$"):
            receiver().receive(headers, BODY)


def test_headers_are_missed_in_the_documented_order() -> None:
    with pytest.raises(SaynaWebhookSignatureError, match="x-sayna-signature"):
        receiver().receive({}, BODY)
    with pytest.raises(SaynaWebhookSignatureError, match="x-sayna-timestamp"):
        receiver().receive({"x-sayna-signature": "anything"}, BODY)


@pytest.mark.parametrize("name", ["x-sayna-signature", "x-sayna-timestamp", "x-sayna-event-id"])
def test_repeated_header_is_refused(name: str) -> None:
    value = HEADERS[name]
    for headers in (
        [*HEADERS.items(), (name, value)],
        [*HEADERS.items(), (name.title(), value), (name, value)],
        {**HEADERS, name: [value, value]},
        {**without(name), name.upper(): value, name.title(): value},
    ):
        with pytest.raises(SaynaWebhookSignatureError, match=f"{name} came more than once"):
            receiver().receive(headers, BODY)


DIGITS = HEADERS["x-sayna-signature"][3:]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("v0=" + DIGITS, "Invalid signature format"),
        ("V1=" + DIGITS, "Invalid signature format"),
        (DIGITS, "Invalid signature format"),
        (" v1=" + DIGITS, "Invalid signature format"),
        ("v1=", "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS[:-1], "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS + "0", "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS[:-1] + "g", "Invalid signature: must be 64 hex characters"),
        ("v1=" + " " * 4 + DIGITS[4:], "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS + "  ", "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS[:-1] + "٣", "Invalid signature: must be 64 hex characters"),
        ("v1=" + DIGITS[::-1], "Signature verification failed"),
    ],
)
def test_bad_signature_is_refused(value: str, message: str) -> None:
    with pytest.raises(SaynaWebhookSignatureError, match=message):
        receiver().receive({**HEADERS, "x-sayna-signature": value}, BODY)


def test_hex_digits_may_be_upper_case() -> None:
    assert receiver().receive({**HEADERS, "x-sayna-signature": "v1=" + DIGITS.upper()}, BODY)


@pytest.mark.parametrize(
    "stamp", ["now", "1767225600.0", "", "0x10", "NaN", "1" * 5000, "-" + "9" * 4300]
)
def test_timestamp_that_is_no_integer_is_refused(stamp: str) -> None:
    expected = SaynaWebhookTimestampError if stamp else SaynaWebhookSignatureError
    with pytest.raises(expected, match="Invalid timestamp format" if stamp else "Missing"):
        receiver().receive({**HEADERS, "x-sayna-timestamp": stamp}, BODY)


@pytest.mark.parametrize("distance", [-300, -1, 0, 1, 300])
def test_timestamp_within_the_window_is_accepted(distance: int) -> None:
    hook = signed(at=NOW + distance)

    assert receiver().receive(hook.headers, hook.body).timestamp == NOW + distance


@pytest.mark.parametrize("distance", [-301, 301, 10**15, -NOW])
def test_timestamp_outside_the_window_is_refused(distance: int) -> None:
    hook = signed(at=NOW + distance)

    with pytest.raises(
        SaynaWebhookTimestampError,
        match=f"Timestamp outside replay protection window: {abs(distance)} seconds.*at most 300",
    ):
        receiver().receive(hook.headers, hook.body)


def test_tolerance_can_be_set() -> None:
    strict, off = receiver(tolerance=0), receiver(tolerance=math.inf)
    late, ancient = signed(at=NOW - 1), signed(at=0)

    assert strict.receive(HEADERS, BODY)
    with pytest.raises(SaynaWebhookTimestampError, match="at most 0"):
        strict.receive(late.headers, late.body)
    assert off.receive(ancient.headers, ancient.body).timestamp == 0


def test_half_a_second_is_not_counted() -> None:
    late = WebhookReceiver(SECRET, clock=lambda: NOW + 300.9)

    assert late.receive(HEADERS, BODY).timestamp == NOW


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tolerance": -1}, "tolerance must be 0 seconds or more, got -1"),
        ({"tolerance": math.nan}, "tolerance must be 0 seconds or more, got nan"),
        ({"max_body_size": 0}, "max_body_size must be 1 byte or more, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(SaynaValidationError, match=message):
        receiver(**settings)


def test_environment_gives_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", f"  {SECRET}\n")

    assert receiver(None).receive(HEADERS, BODY)


def test_missing_secret_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAYNA_WEBHOOK_SECRET", raising=False)

    with pytest.raises(SaynaValidationError, match=r"^Webhook secret is required"):
        WebhookReceiver()


@pytest.mark.parametrize("secret", ["", [], [""]])
def test_explicit_empty_secret_does_not_fall_back_to_the_environment(
    monkeypatch: pytest.MonkeyPatch, secret: Any
) -> None:
    monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", SECRET)

    with pytest.raises(SaynaValidationError, match=r"^Webhook secret is required"):
        WebhookReceiver(secret)


@pytest.mark.parametrize("secret", ["short", "  fifteen-letters  ", [SECRET, "short"]])
def test_short_secret_is_refused_with_its_length(secret: Any) -> None:
    with pytest.raises(
        SaynaValidationError, match=r"must be at least 16 characters long, got (5|15);"
    ) as caught:
        WebhookReceiver(secret)

    assert "short" not in str(caught.value)


def test_secret_of_another_type_is_refused() -> None:
    with pytest.raises(SaynaValidationError, match="must be str, got bytes"):
        receiver([SECRET.encode()])


def test_each_of_several_secrets_may_have_signed() -> None:
    old, new = "the-secret-of-last-year", "the-secret-of-this-year"
    rotating = receiver((old, new))

    for secret in (old, new):
        hook = signed(secret=secret)
        assert rotating.receive(hook.headers, hook.body)
    with pytest.raises(SaynaWebhookSignatureError):
        rotating.receive(HEADERS, BODY)


def test_secret_may_be_signed_with_trimmed_or_as_it_is() -> None:
    padded = f" {SECRET}\n"
    raw = {**HEADERS, "x-sayna-signature": signature(padded, NOW, EVENT_ID, BODY)}

    assert receiver(padded).receive(HEADERS, BODY)
    assert receiver(padded).receive(raw, BODY)


def test_secret_of_bytes_that_are_no_utf8_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", f"{SECRET}\udcff")
    digest = hmac.digest(f"{SECRET}".encode() + b"\xff", MESSAGE, "sha256").hex()

    assert receiver(None).receive({**HEADERS, "x-sayna-signature": f"v1={digest}"}, BODY)


def test_secret_longer_than_a_hash_block_works() -> None:
    secret = "s" * 100
    hook = signed(secret=secret)

    assert receiver(secret).receive(hook.headers, hook.body)


@pytest.mark.parametrize("body", ["[]", "null", "123", '"s"', "[{}]"])
def test_signed_json_that_is_no_object_is_a_payload_error(body: str) -> None:
    hook = signed(body)

    with pytest.raises(
        SaynaWebhookPayloadError,
        match=r"^Webhook payload validation failed: body: Input should be an object$",
    ):
        receiver().receive(hook.headers, body)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"{}x", b"[" * 10_000])
def test_signed_body_that_is_no_json_is_a_payload_error(body: bytes) -> None:
    hook = signed(body)

    with pytest.raises(SaynaWebhookPayloadError, match=r"^Invalid JSON payload: "):
        receiver().receive(hook.headers, hook.body)


def test_first_bad_field_is_named_by_its_path() -> None:
    payload = json.loads(BODY)
    del payload["participant"]["sid"]
    del payload["sip_host"]
    hook = signed(json.dumps(payload))

    with pytest.raises(
        SaynaWebhookPayloadError,
        match=r"^Webhook payload validation failed: participant.sid: Field required$",
    ):
        receiver().receive(hook.headers, hook.body)


def test_unknown_fields_and_missing_sip_headers_are_accepted() -> None:
    payload = json.loads(BODY) | {"region": "eu"}
    del payload["sip_headers"]
    del payload["participant"]["name"]
    hook = signed(json.dumps(payload))

    call = receiver().receive(hook.headers, hook.body)

    assert (call.sip_headers, call.participant.name) == (None, None)


def test_body_over_the_limit_is_refused_before_it_is_hashed() -> None:
    small = receiver(max_body_size=len(BODY))

    assert small.receive(HEADERS, BODY)
    with pytest.raises(
        SaynaWebhookPayloadError, match=f"{len(BODY) + 1} bytes, at most {len(BODY)}"
    ):
        small.receive(HEADERS, BODY + b" ")


def test_default_limit_is_one_mebibyte() -> None:
    with pytest.raises(
        SaynaWebhookPayloadError, match="1048577 bytes, at most 1048576 are allowed"
    ):
        receiver().receive(HEADERS, b" " * (1024 * 1024 + 1))


def test_text_that_utf8_cannot_hold_is_a_payload_error() -> None:
    with pytest.raises(SaynaWebhookPayloadError, match="UTF-8 cannot hold"):
        receiver().receive(HEADERS, BODY.decode() + "\udcff")


@pytest.mark.parametrize("odd", [chr(0xDCFF), chr(0xD800), "\0", "é"], ids=ascii)
def test_odd_event_id_is_no_other_error(odd: str) -> None:
    headers = {**HEADERS, "x-sayna-event-id": EVENT_ID + odd}

    with pytest.raises(SaynaWebhookSignatureError, match="Signature verification failed"):
        receiver().receive(headers, BODY)


def test_repeated_event_is_refused_only_if_remembered() -> None:
    forgetful, remembering = receiver(), receiver(seen=SeenEvents())

    for _ in range(2):
        assert forgetful.receive(HEADERS, BODY)
    assert remembering.receive(HEADERS, BODY)
    with pytest.raises(SaynaWebhookReplayError, match="came before"):
        remembering.receive(HEADERS, BODY)


def test_refused_requests_are_not_remembered() -> None:
    remembering = receiver(seen=SeenEvents())
    broken = signed(b"{}")

    for headers, body in ((HEADERS, BODY + b" "), (broken.headers, broken.body)):
        with pytest.raises(SaynaWebhookError):
            remembering.receive(headers, body)
    assert remembering.receive(HEADERS, BODY)


def test_own_store_is_told_verified_ids_and_decides() -> None:
    told: list[str] = []
    asking = receiver(seen=told.append)

    assert asking.receive(HEADERS, BODY)
    assert told == [EVENT_ID]
    with pytest.raises(SaynaWebhookReplayError):
        receiver(seen=lambda event_id: event_id == EVENT_ID).receive(HEADERS, BODY)


def test_store_that_must_be_awaited_is_refused() -> None:
    async def seen(event_id: str) -> bool:
        raise AssertionError(event_id)

    with pytest.raises(SaynaValidationError, match="seen must be a plain function"):
        receiver(seen=seen)


def test_memory_of_events_is_bounded_and_forgets_the_oldest() -> None:
    seen = SeenEvents(limit=2)

    assert [seen(each) for each in ("a", "b", "a", "c", "a", "c")] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_memory_of_events_needs_a_limit() -> None:
    with pytest.raises(SaynaValidationError, match="limit must be at least 1 event id, got 0"):
        SeenEvents(limit=0)


def test_only_one_of_many_threads_gets_an_event() -> None:
    remembering = receiver(seen=SeenEvents())
    barrier = threading.Barrier(8)

    def attempt(_: int) -> bool:
        barrier.wait()
        try:
            remembering.receive(HEADERS, BODY)
        except SaynaWebhookReplayError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_all_errors_are_validation_errors() -> None:
    for error in (
        SaynaWebhookSignatureError,
        SaynaWebhookTimestampError,
        SaynaWebhookReplayError,
        SaynaWebhookPayloadError,
    ):
        assert issubclass(error, SaynaWebhookError)
        assert issubclass(error, SaynaValidationError)
        assert issubclass(error, SaynaError)


def every_refusal() -> Iterator[tuple[dict[str, str], Any]]:
    for body in (
        BODY.replace(b'"+447700900123"', b"447700900123"),
        BODY.replace(b'"sip-"', b"null"),
        BODY[:-20],
        b'"private-words"',
    ):
        hook = signed(body)
        yield hook.headers, hook.body
    yield HEADERS, BODY + b"private-words"
    yield HEADERS, BODY.decode() + "private-words\udcff"
    yield HEADERS, b"private-words" * 100_000
    yield {**HEADERS, "x-sayna-timestamp": HEADERS["x-sayna-signature"]}, BODY
    yield {**HEADERS, "x-sayna-signature": DIGITS}, BODY
    yield {**HEADERS, "x-sayna-signature": "v1=" + DIGITS[:-1] + "z"}, BODY
    yield {**HEADERS, "x-sayna-event-id": "private-words"}, BODY
    yield HEADERS, {"private-words": BODY}


def test_no_error_shows_secret_body_or_signature() -> None:
    for headers, body in every_refusal():
        with pytest.raises(SaynaValidationError) as caught:
            receiver().receive(headers, body)

        # everything that a log would show: the message, causes, contexts, notes
        shown = "".join(traceback.format_exception(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        for private in (SECRET, DIGITS[:12], "447700900123", "private-words", "acme-voice"):
            assert private not in "".join(
                line for line in shown.splitlines(keepends=True) if "Error" in line
            )


def test_names_of_the_predecessor_are_there() -> None:
    assert webhook_receiver.MIN_SECRET_LENGTH == 16
    assert webhook_receiver.TIMESTAMP_TOLERANCE_SECONDS == 300
    assert webhook_receiver.WebhookReceiver is WebhookReceiver


def test_receiver_does_not_show_its_secret() -> None:
    shown = receiver()

    assert SECRET not in repr(shown) + str(shown)
    assert not hasattr(shown, "__dict__")


def test_every_secret_is_tried_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts comparisons as the interpreter sees them: the same number for every outcome."""
    several = receiver(["first-secret-of-three", SECRET, "third-secret-of-three"])

    def comparisons(headers: dict[str, str]) -> int:
        count = 0

        def profile(_frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "c_call" and argument.__name__ == "compare_digest"

        sys.setprofile(profile)
        try:
            several.receive(headers, BODY)
        except SaynaWebhookSignatureError:
            pass
        finally:
            sys.setprofile(None)
        return count

    forged = {**HEADERS, "x-sayna-signature": "v1=" + "0" * 64}
    first = signed(secret="first-secret-of-three").headers
    assert comparisons(HEADERS) == comparisons(forged) == comparisons(first) == 3

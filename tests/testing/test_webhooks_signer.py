"""The signer: requests exactly as rest.md 15.4 describes them."""

import datetime
import json
import shlex
import subprocess
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from faker import Faker
from faker.generator import Generator

import sayna_testing.webhooks
from sayna_testing.webhooks import WEBHOOK_SECRET, WebhookSigner, sign, signature, unix_seconds

SECRET = "fake-sayna-hook-secret-0001"
NOW = 1767225600
BODY = (
    '{"participant":{"name":"Phone +447700900123","identity":"sip_+447700900123",'
    '"sid":"PA_q8ZtR4mNcXyB"},"room":{"name":"sip-_+447700900123_k2Wd","sid":"RM_h5JvLs0PqEuT"},'
    '"from_phone_number":"+447700900123","to_phone_number":"+442071838750","room_prefix":"sip-",'
    '"sip_host":"acme-voice.example","sip_headers":{"to":"<sip:+442071838750@acme-voice.example>"}}'
)
SIGNATURE = "v1=626057eabca24262516d748b249800754c2ce0397faa489f2758c6b49e6ecdbb"


def test_published_vector_comes_out_byte_for_byte() -> None:
    hook = (
        WebhookSigner(SECRET)
        .at(NOW)
        .sip_call(
            from_="+447700900123",
            to="+442071838750",
            participant_name="Phone +447700900123",
            participant_identity="sip_+447700900123",
            participant_sid="PA_q8ZtR4mNcXyB",
            room_name="sip-_+447700900123_k2Wd",
            room_sid="RM_h5JvLs0PqEuT",
            room_prefix="sip-",
            sip_host="acme-voice.example",
            sip_headers={"to": "<sip:+442071838750@acme-voice.example>"},
            event_id="EV_7f3QxW2kLm9a",
        )
    )

    assert hook.body == BODY.encode()
    assert len(hook.body) == 352
    assert hook.headers == {
        "content-type": "application/json",
        "x-sayna-signature": SIGNATURE,
        "x-sayna-timestamp": "1767225600",
        "x-sayna-event-id": "EV_7f3QxW2kLm9a",
        "x-sayna-signature-version": "v1",
        "user-agent": "sayna-req-manager/2.0",
        "accept": "*/*",
    }
    assert (hook.event_id, hook.timestamp) == ("EV_7f3QxW2kLm9a", NOW)


def test_plain_functions_sign_the_vector_too() -> None:
    hook = sign(BODY, event_id="EV_7f3QxW2kLm9a", secret=f" {SECRET}\n", at=NOW)

    assert hook.headers["x-sayna-signature"] == SIGNATURE
    assert signature(SECRET, NOW, "EV_7f3QxW2kLm9a", BODY.encode()) == SIGNATURE


def test_unset_fields_are_made_up_and_fit_together() -> None:
    payload = WebhookSigner(faker=Generator()).sip_call().payload

    number = payload["from_phone_number"]
    assert list(payload) == [
        "participant",
        "room",
        "from_phone_number",
        "to_phone_number",
        "room_prefix",
        "sip_host",
        "sip_headers",
    ]
    assert payload["participant"]["identity"] == f"sip_{number}"
    assert payload["participant"]["sid"].startswith("PA_")
    assert payload["room"]["name"].startswith(f"sip-_{number}_")
    assert payload["sip_host"] in payload["sip_headers"]["to"]
    assert payload["to_phone_number"] in payload["sip_headers"]["to"]


def seeded(seed: int) -> WebhookSigner:
    faker = Faker()
    faker.seed_instance(seed)
    return WebhookSigner(faker=faker).at(NOW)


def test_made_up_calls_are_stable_by_seed() -> None:
    assert seeded(7).sip_call() == seeded(7).sip_call()
    assert seeded(7).sip_call() != seeded(8).sip_call()
    signer = seeded(7)
    assert signer.sip_call().event_id != signer.sip_call().event_id


def test_a_field_that_is_set_moves_no_other() -> None:
    plain, chosen = seeded(3).sip_call(), seeded(3).sip_call(to="+442079460999", room_sid="RM_1")

    assert plain.payload["from_phone_number"] == chosen.payload["from_phone_number"]
    assert plain.payload["room"]["name"] == chosen.payload["room"]["name"]
    assert plain.event_id == chosen.event_id


def test_derived_signers_go_on_with_the_same_faker() -> None:
    signer, again = seeded(5), seeded(5)

    first, second = signer.at(1), again.with_secret("x" * 20)
    assert first.sip_call().event_id == second.sip_call().event_id
    assert signer.sip_call().event_id == again.sip_call().event_id


def test_empty_strings_are_fields_too() -> None:
    payload = WebhookSigner().sip_call(from_="", participant_name="", sip_headers={}).payload

    assert payload["from_phone_number"] == payload["participant"]["name"] == ""
    assert payload["sip_headers"] == {}


@pytest.mark.parametrize(
    "field",
    ["from_", "to", "participant_name", "room_sid", "sip_host", "room_prefix"],
)
def test_field_that_is_no_text_is_refused(field: str) -> None:
    fields: Any = {field: 5}
    with pytest.raises(TypeError, match="must be a str, got int"):
        WebhookSigner().sip_call(**fields)


def test_sip_header_that_is_no_text_is_refused() -> None:
    headers: Any = {"to": 5}
    with pytest.raises(TypeError, match="SIP header to must be a str, got int"):
        WebhookSigner().sip_call(sip_headers=headers)


BERLIN = datetime.datetime(2026, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    "moment",
    [NOW, NOW + 0.9, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), BERLIN],
    ids=["int", "float", "UTC", "Berlin"],
)
def test_moments_of_all_kinds_are_taken(moment: Any) -> None:
    assert WebhookSigner().at(moment).sip_call().timestamp == NOW
    assert sign("", event_id="EV_1", at=moment).headers["x-sayna-timestamp"] == "1767225600"


def test_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="with a time zone, got the naive 2026-01-01T00:00:00"):
        WebhookSigner().at(datetime.datetime(2026, 1, 1))


@pytest.mark.parametrize("moment", ["now", None, True, datetime.date(2026, 1, 1)], ids=repr)
def test_what_is_no_moment_is_refused(moment: Any) -> None:
    with pytest.raises(TypeError, match=f"aware datetime, got {type(moment).__name__}"):
        unix_seconds(moment)


@pytest.mark.parametrize("moment", [float("nan"), float("inf")])
def test_number_that_is_no_moment_is_refused(moment: float) -> None:
    with pytest.raises(ValueError, match="expected Unix seconds, got"):
        unix_seconds(moment)


def test_secret_is_of_the_environment_or_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = WebhookSigner()
    monkeypatch.delenv("SAYNA_WEBHOOK_SECRET", raising=False)
    default = signer.sip_call()
    monkeypatch.setenv("SAYNA_WEBHOOK_SECRET", SECRET)
    given = signer.sip_call()

    assert (default.secret, given.secret) == (WEBHOOK_SECRET, SECRET)
    assert signer.with_secret("another-secret-than-that").sip_call().secret.startswith("another")


def test_any_body_can_be_signed() -> None:
    signer = WebhookSigner(SECRET).at(NOW)

    assert signer(BODY, event_id="EV_7f3QxW2kLm9a").headers["x-sayna-signature"] == SIGNATURE
    assert signer(b"\xff").event_id.startswith("EV_")


def test_nothing_shows_secret_or_signature() -> None:
    signer = WebhookSigner(SECRET)
    hook = signer.sip_call()

    for shown in (repr(signer), repr(hook), str(hook)):
        assert SECRET not in shown
        assert hook.headers["x-sayna-signature"][3:9] not in shown
        assert hook.payload["from_phone_number"] not in shown


def test_repeated_headers_are_joined_in_the_dict() -> None:
    hook = WebhookSigner().sip_call()
    twice = type(hook)(hook.body, (("x-a", "1"), ("x-a", "2")), "EV_1", NOW, SECRET)

    assert twice.headers == {"x-a": "1, 2"}


def test_package_has_no_other_lazy_names() -> None:
    missing = "Signer"
    with pytest.raises(AttributeError, match="has no attribute 'Signer'"):
        getattr(sayna_testing.webhooks, missing)


def posted_by(command: str, tmp_path: Any) -> tuple[list[str], bytes]:
    """Arguments and input that a shell hands to curl: a script in its place writes them down."""
    curl = tmp_path / "curl"
    curl.write_text(
        '#!/bin/sh\nfor each in "$@"; do printf "%s\\0" "$each"; done > arguments\n'
        "[ -p /dev/stdin ] && cat > input || : > input\n"
    )
    curl.chmod(0o755)
    subprocess.run(
        ["/bin/sh", "-c", f"PATH={shlex.quote(str(tmp_path))}:$PATH; {command}"],
        cwd=tmp_path,
        check=True,
        timeout=10,
    )
    arguments = (tmp_path / "arguments").read_bytes().split(b"\0")[:-1]
    return [each.decode() for each in arguments], (tmp_path / "input").read_bytes()


@pytest.mark.parametrize("body", ["{}", 'it\'s "quoted" $HOME `x`\n', "@file", "é\n\n", ""])
def test_curl_command_sends_text_as_it_is(body: str, tmp_path: Any) -> None:
    hook = sign(body, event_id="EV_1", at=NOW)

    arguments, _ = posted_by(hook.curl("http://127.0.0.1:8000/sayna?a=1&b=2"), tmp_path)

    assert arguments[-1] == "http://127.0.0.1:8000/sayna?a=1&b=2"
    assert arguments[arguments.index("--data-raw") + 1] == body
    assert "x-sayna-event-id: EV_1" in arguments


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\0", b"%s\\n\0'\""], ids=repr)
def test_curl_command_pipes_other_bytes(body: bytes, tmp_path: Any) -> None:
    hook = sign(body, event_id="", at=NOW)

    arguments, given = posted_by(hook.curl("http://127.0.0.1:8000/"), tmp_path)

    assert given == body
    assert arguments[arguments.index("--data-binary") + 1] == "@-"
    assert "x-sayna-event-id;" in arguments


def test_payload_is_the_body_read() -> None:
    assert sign(BODY, event_id="EV_1").payload == json.loads(BODY)

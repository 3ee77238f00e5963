"""`sign` and `explain` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sayna_testing.cli import main
from sayna_testing.webhooks import explain


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, arguments, input=given)


@pytest.fixture(autouse=True)
def no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAYNA_WEBHOOK_SECRET", raising=False)


def test_what_is_signed_verifies() -> None:
    signed = run("sign", "--from", "+447700900123")
    assert b'"from_phone_number":"+447700900123"' in signed.stdout_bytes
    checked = run("explain", "-", given=signed.stdout_bytes)
    assert (checked.exit_code, checked.output) == (
        0,
        "The signature fits and the timestamp is fresh.\n",
    )


def test_the_bytes_of_a_file_are_signed_as_they_are(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\xff raw \n")
    signed = run(
        "sign", "--at", "1767225600", "--event-id", "EV_1", "--secret", "s" * 16, str(body)
    )
    head, _, rest = signed.stdout_bytes.partition(b"\n\n")
    assert rest == b"\xff raw \n"
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    assert headers["x-sayna-event-id"] == "EV_1"
    assert explain(headers, rest, "s" * 16, at=1767225600).verified


def test_a_curl_command_can_be_had() -> None:
    signed = run("sign", "--curl", "http://127.0.0.1:8000/sayna")
    assert signed.output.startswith("curl -sS -X POST -H 'content-type: application/json'")
    assert signed.output.endswith(" http://127.0.0.1:8000/sayna\n")


def test_a_body_and_made_up_numbers_do_not_go_together() -> None:
    refused = run("sign", "--to", "+1", "-", given=b"{}")
    assert refused.exit_code == 2
    assert refused.output == (
        "Error: --from and --to make up a body: expected them or BODY, got both\n"
    )


def test_a_signature_that_does_not_verify_is_explained_and_fails() -> None:
    signed = run("sign", "--at", "1767225600", "--secret", "another-secret-0001").stdout_bytes
    checked = run("explain", "--at", "1767225600", "-", given=signed)
    assert checked.exit_code == 1
    assert "another secret" in checked.output
    stale = run("explain", "--secret", "another-secret-0001", "-", given=signed)
    assert stale.exit_code == 1
    assert "receivers allow 300 s" in stale.output


def test_a_captured_request_may_have_a_request_line_and_crlf() -> None:
    signed = run("sign", "--at", "1767225600").stdout_bytes
    head, _, body = signed.partition(b"\n\n")
    captured = b"POST /sayna HTTP/1.1\r\n" + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body
    assert run("explain", "--at", "1767225600", "-", given=captured).exit_code == 0


def test_a_request_without_an_empty_line_is_refused() -> None:
    refused = run("explain", "-", given=b"x-sayna-signature: v1=00")
    assert refused.exit_code == 2
    assert "found no empty line" in refused.output


def test_help_has_examples_and_exit_codes() -> None:
    for arguments in (["-h"], ["serve", "-h"], ["sign", "-h"], ["explain", "-h"]):
        shown = run(*arguments)
        assert shown.exit_code == 0
        assert "Exit codes:\n    0  everything passed" in shown.output
    assert "\n  Examples:\n    sayna-testing serve\n" in run("serve", "-h").output


def test_an_unknown_command_is_refused_with_a_way_to_help() -> None:
    refused = run("draw")
    assert refused.exit_code == 2
    assert "Error: No such command 'draw'." in refused.output


def test_a_url_that_cannot_be_written_is_refused() -> None:
    result = CliRunner().invoke(main, ["sign", "--curl", "http://127.0.0.1/\udcff"])
    assert result.exit_code == 2
    assert "surrogates not allowed" in result.stderr

"""`sign` and `explain`: webhooks by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import click

from sayna_testing.cli.ending import EXIT_CODES, FAILED, Unusable
from sayna_testing.webhooks import SignedWebhook, WebhookSigner, explain

_SECRET_HELP = "Default: $SAYNA_WEBHOOK_SECRET, else the published secret of tests."


@click.command(epilog=EXIT_CODES)
@click.argument("body", type=click.File("rb"), required=False)
@click.option("--secret", metavar="TEXT", help=f"What to sign with. {_SECRET_HELP}")
@click.option("--at", type=float, metavar="SECONDS", help="Unix time of signing. Default: now.")
@click.option("--event-id", metavar="ID", help="Default: a made-up one.")
@click.option("--from", "from_", metavar="NUMBER", help="Who calls, when no BODY is given.")
@click.option("--to", metavar="NUMBER", help="Who is called, when no BODY is given.")
@click.option("--curl", "url", metavar="URL", help="Print a command that posts it there.")
def sign(
    body: BinaryIO | None,
    secret: str | None,
    at: float | None,
    event_id: str | None,
    from_: str | None,
    to: str | None,
    url: str | None,
) -> None:
    """Sign a webhook exactly as Sayna signs it.

    BODY is a file of raw bytes, `-` for standard input; without it the webhook of an incoming call
    is made up. Prints the headers, an empty line and the body, or with --curl a command.

    \b
    Examples:
      sayna-testing sign --from +447700900123 --curl http://127.0.0.1:8000/sayna | sh
      sayna-testing sign --at 1767225600 webhook.json
    """  # noqa: D301 - click wants the backspace itself
    if body is not None and (from_ is not None or to is not None):
        raise Unusable("--from and --to make up a body: expected them or BODY, got both")
    try:
        signer = WebhookSigner(secret, moment=at)
        if body is None:
            hook = signer.sip_call(from_=from_, to=to, event_id=event_id)
        else:
            hook = signer(body.read(), event_id=event_id)
        told = f"{hook.curl(url)}\n".encode() if url else _as_request(hook)
    except ValueError as error:
        raise Unusable(str(error)) from None
    click.echo(told, nl=False)


def _as_request(hook: SignedWebhook) -> bytes:
    head = "".join(f"{name}: {value}\n" for name, value in hook.header_pairs)
    return head.encode() + b"\n" + hook.body


@click.command("explain", epilog=EXIT_CODES)
@click.argument("request", type=click.File("rb"))
@click.option("--secret", metavar="TEXT", help=f"What to verify with. {_SECRET_HELP}")
@click.option("--at", type=float, metavar="SECONDS", help="Unix time of arrival. Default: now.")
def explain_(request: BinaryIO, secret: str | None, at: float | None) -> None:
    """Say why the signature of a webhook does not verify.

    REQUEST is a file with the headers, an empty line and the raw body, `-` for standard input; a
    request line before them may be there.

    \b
    Examples:
      sayna-testing sign | sayna-testing explain -
      sayna-testing explain --at 1767225600 captured.http
    """  # noqa: D301 - click wants the backspace itself
    headers, body = _read_request(request.read())
    explanation = explain(headers, body, secret, at=at)
    click.echo(explanation.text)
    if not explanation.verified:
        raise SystemExit(FAILED)


def _read_request(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    ends = [(raw.find(end), len(end)) for end in (b"\r\n\r\n", b"\n\n") if end in raw]
    if not ends:
        raise Unusable("expected headers, an empty line and the body; found no empty line")
    at, length = min(ends)
    return list(_headers(raw[:at].decode("latin-1"))), raw[at + length :]


def _headers(head: str) -> Iterator[tuple[str, str]]:
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if colon and " " not in name:
            yield name, value.strip()

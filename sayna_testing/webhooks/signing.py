"""Signs a body exactly as Sayna does: rest.md 15.4."""

import hashlib
import hmac
import json
import os
from typing import Any

from sayna_testing.webhooks.moment import Moment, unix_seconds, wall_clock
from sayna_testing.webhooks.request import SignedWebhook

__all__ = ["WEBHOOK_SECRET", "compact", "default_secret", "secret_source", "sign", "signature"]

WEBHOOK_SECRET = "fake-sayna-hook-secret-0001"
"""What tests sign with unless told otherwise: made up, and published in the documentation."""


def default_secret() -> str:
    """`SAYNA_WEBHOOK_SECRET`, which a receiver reads too, else `WEBHOOK_SECRET`."""
    return os.environ.get("SAYNA_WEBHOOK_SECRET") or WEBHOOK_SECRET


def secret_source() -> str:
    """Where `default_secret` comes from at the moment, in words."""
    if os.environ.get("SAYNA_WEBHOOK_SECRET"):
        return "SAYNA_WEBHOOK_SECRET of the environment"
    return "sayna_testing.WEBHOOK_SECRET, as SAYNA_WEBHOOK_SECRET is not set"


def signature(secret: str, timestamp: int | str, event_id: str, body: bytes) -> str:
    """The value of `x-sayna-signature`; the key is the secret as it is, untrimmed."""
    message = f"v1:{timestamp}:{event_id}:".encode() + body
    return "v1=" + hmac.digest(secret.encode(), message, hashlib.sha256).hex()


def compact(payload: Any) -> bytes:
    """JSON as the server writes it: UTF-8 without escapes or white space, keys in their order."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def sign(
    body: bytes | str,
    *,
    event_id: str,
    secret: str | None = None,
    at: Moment | None = None,
) -> SignedWebhook:
    """Sign a body with the secret, trimmed as the server trims it, by default `default_secret()`.

    `at` is the moment of signing, by default the present one. Raises `ValueError` or `TypeError`
    for a moment that is none.
    """
    raw = body.encode() if isinstance(body, str) else bytes(body)
    key = (default_secret() if secret is None else secret).strip()
    timestamp = unix_seconds(wall_clock() if at is None else at)
    headers = (
        ("content-type", "application/json"),
        ("x-sayna-signature", signature(key, timestamp, event_id, raw)),
        ("x-sayna-timestamp", str(timestamp)),
        ("x-sayna-event-id", event_id),
        ("x-sayna-signature-version", "v1"),
        ("user-agent", "sayna-req-manager/2.0"),
        ("accept", "*/*"),
    )
    return SignedWebhook(raw, headers, event_id, timestamp, key, pinned=at is not None)

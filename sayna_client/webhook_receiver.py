"""Verifies the webhooks that Sayna sends for incoming phone calls: rest.md 15.4.

A request passes these checks, in this order, and stops at the first that fails:

1. the three headers are there, once each;
2. the signature has the form `v1=` and 64 hex digits;
3. the timestamp is an integer not further from now than the tolerance;
4. the body is not larger than allowed;
5. one of the secrets signed timestamp, event id and body;
6. the body is JSON of the right shape;
7. the event id is new, if the receiver was given something to remember ids with.
"""

import datetime
import inspect
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sayna_client.errors import (
    SaynaValidationError,
    SaynaWebhookPayloadError,
    SaynaWebhookReplayError,
    SaynaWebhookTimestampError,
)
from sayna_client.types.webhook import WebhookSIPOutput
from sayna_client.webhook_signature import (
    MIN_SECRET_LENGTH,
    Headers,
    claimed_digest,
    signed_headers,
    signing_keys,
    verify,
)

__all__ = [
    "MAX_BODY_SIZE",
    "MIN_SECRET_LENGTH",
    "TIMESTAMP_TOLERANCE_SECONDS",
    "Body",
    "Headers",
    "SeenEvents",
    "WebhookReceiver",
    "wall_clock",
]

TIMESTAMP_TOLERANCE_SECONDS = 300
MAX_BODY_SIZE = 1024 * 1024

Body = str | bytes | bytearray | memoryview

_LONGEST_TIMESTAMP = 20  # characters; Python does not write integers of thousands of digits
_SECRET_VARIABLE = "SAYNA_WEBHOOK_SECRET"
_read_payload = TypeAdapter(WebhookSIPOutput).validator.validate_json


class SeenEvents:
    """Remembers the last `limit` event ids, in memory; safe to share between threads.

    Only verified deliveries are remembered, so a stranger cannot push an id out.
    """

    def __init__(self, limit: int = 10_000) -> None:
        if limit < 1:
            raise SaynaValidationError(f"limit must be at least 1 event id, got {limit}")
        self._limit = limit
        self._ids: dict[str, None] = {}
        self._lock = threading.Lock()

    def __call__(self, event_id: str) -> bool:
        """Say whether the id came before, and remember it."""
        with self._lock:
            if event_id in self._ids:
                return True
            if len(self._ids) == self._limit:
                del self._ids[next(iter(self._ids))]
            self._ids[event_id] = None
            return False


class _Unfrozen:
    """Keeps from freezegun what it would replace in a module."""

    datetime = datetime.datetime


def wall_clock() -> float:
    """Unix time in seconds, looked up when called, so that frozen clocks are obeyed.

    freezegun hands real time to a `time.time()` called close under `threading.Thread`; its
    `datetime` is frozen in every thread, so that is asked where it stands in for the real one.
    """
    if datetime.datetime is _Unfrozen.datetime:
        return time.time()
    return datetime.datetime.now().timestamp()


class WebhookReceiver:
    """Verifies and reads the webhooks of incoming phone calls.

    `secret` is one secret or several, any of which may have signed (for rotation, or for hooks with
    secrets of their own), each of 16 characters or more; without it the environment's
    `SAYNA_WEBHOOK_SECRET` is used. White space around a secret may belong to it or not.
    `tolerance` is how many seconds a timestamp may lie in the past or the future, `clock` gives
    Unix seconds, `max_body_size` is in bytes. `seen` is told the event id of each verified
    delivery and returns something true if it came before, in which case that one is refused: a
    `SeenEvents()`, or a function of your own over a store that several processes share.

    Raises `SaynaValidationError` for a missing or short secret and for settings that make no sense.
    """

    __slots__ = ("_clock", "_keys", "_max_body_size", "_seen", "_tolerance")

    def __init__(
        self,
        secret: str | Iterable[str] | None = None,
        *,
        tolerance: float = TIMESTAMP_TOLERANCE_SECONDS,
        clock: Callable[[], float] = wall_clock,
        seen: Callable[[str], object] | None = None,
        max_body_size: int = MAX_BODY_SIZE,
    ) -> None:
        __tracebackhide__ = True  # pytest would print the secrets
        if not tolerance >= 0:
            raise SaynaValidationError(f"tolerance must be 0 seconds or more, got {tolerance}")
        if max_body_size < 1:
            raise SaynaValidationError(f"max_body_size must be 1 byte or more, got {max_body_size}")
        if inspect.iscoroutinefunction(seen):
            raise SaynaValidationError(
                "seen must be a plain function, for receive() does not wait; to ask a store "
                "asynchronously, look up the event_id of the result yourself"
            )
        self._keys = signing_keys(_secrets(secret))
        self._tolerance = tolerance
        self._clock = clock
        self._seen = seen
        self._max_body_size = max_body_size

    def receive(self, headers: Headers, body: Body) -> WebhookSIPOutput:
        """Return the call that a request tells of, or refuse the request.

        `headers` is any mapping or multidict, an ASGI list of pairs, or a WSGI environ; `body` is
        the raw body, bytes or text, never parsed and written anew: the signature covers the bytes.

        Raises `SaynaWebhookSignatureError`, `SaynaWebhookTimestampError`,
        `SaynaWebhookPayloadError` or `SaynaWebhookReplayError`, all of them `SaynaWebhookError`
        and `SaynaValidationError`; plain `SaynaValidationError` for arguments of a wrong type.
        """
        signature, stamp, event_id = signed_headers(headers)
        claimed = claimed_digest(signature)
        timestamp = self._check_timestamp(stamp)
        raw = body if type(body) is bytes else _as_bytes(body)
        self._check_size(raw)
        signed = f"v1:{stamp}:{event_id}:".encode("utf-8", "surrogatepass")
        verify(self._keys, signed + raw, claimed)
        payload = _payload(raw)
        known = vars(payload)
        known["event_id"] = event_id
        known["timestamp"] = timestamp
        if self._seen is not None and self._seen(event_id):
            raise SaynaWebhookReplayError("Webhook event came before: its event id is known")
        return payload

    def _check_timestamp(self, stamp: str) -> int:
        try:
            timestamp = int(stamp) if len(stamp) <= _LONGEST_TIMESTAMP else None
        except ValueError:
            timestamp = None
        if timestamp is None:  # raised out here: int()'s own error quotes the header
            raise SaynaWebhookTimestampError(
                "Invalid timestamp format: x-sayna-timestamp must be Unix seconds in decimal"
            )
        distance = int(self._clock()) - timestamp
        if not -self._tolerance <= distance <= self._tolerance:
            raise SaynaWebhookTimestampError(
                f"Timestamp outside replay protection window: {abs(distance)} seconds from now, "
                f"at most {self._tolerance} are allowed"
            )
        return timestamp

    def _check_size(self, raw: bytes) -> None:
        if len(raw) > self._max_body_size:
            raise SaynaWebhookPayloadError(
                f"Body too large: {len(raw)} bytes, at most {self._max_body_size} are allowed"
            )


def _secrets(secret: str | Iterable[str] | None) -> list[str]:
    if secret is None:
        secret = os.environ.get(_SECRET_VARIABLE, "")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not any(secrets):
        raise SaynaValidationError(
            f"Webhook secret is required: pass it to WebhookReceiver or set {_SECRET_VARIABLE}"
        )
    return secrets


def _as_bytes(body: Any) -> bytes:
    if not isinstance(body, str):
        if not issubclass(type(body), bytes | bytearray | memoryview):
            raise SaynaValidationError(
                f"body must be the raw request body, bytes or str, got {type(body).__name__}"
            )
        return bytes(body)
    try:
        return body.encode()
    except UnicodeEncodeError:
        pass  # raised below: the codec's error holds the whole body
    raise SaynaWebhookPayloadError(
        "Body is text that UTF-8 cannot hold: pass the bytes as they came"
    )


def _payload(raw: bytes) -> WebhookSIPOutput:
    try:
        payload: WebhookSIPOutput = _read_payload(raw)
    except ValidationError as error:
        problem = _problem(error.errors(include_url=False)[0])
    else:
        return payload
    # Raised out here: pydantic's error quotes the body, and as a context it would be shown.
    raise SaynaWebhookPayloadError(problem)


def _problem(error: Any) -> str:
    if error["type"] == "json_invalid":
        return f"Invalid JSON payload: {error['ctx']['error']}"
    where = ".".join(map(str, error["loc"])) or "body"
    return f"Webhook payload validation failed: {where}: {error['msg']}"

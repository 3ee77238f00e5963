"""What the signature of a webhook is made of, read without trust: rest.md 15.4."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, Protocol

from sayna_client.errors import SaynaValidationError, SaynaWebhookSignatureError

MIN_SECRET_LENGTH = 16

SIGNED_HEADERS = ("x-sayna-signature", "x-sayna-timestamp", "x-sayna-event-id")
# Every spelling of a name after lower(): text, ASGI's bytes, and the key of a WSGI environ.
_PLACES: dict[object, int] = {
    spelling: place
    for place, name in enumerate(SIGNED_HEADERS)
    for spelling in (name, name.encode(), "http_" + name.replace("-", "_"))
}
_HEX_DIGITS = 64
_BLOCK_SIZE = 64  # bytes, of SHA-256


class HeaderItems(Protocol):
    """Headers as a mapping or multidict: whatever has `items()`, a WSGI environ among them."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Name and value of every header."""
        ...


Headers = HeaderItems | Iterable[tuple[str | bytes, str | bytes]]


class SigningKey:
    """HMAC-SHA256 (RFC 2104) with both pads hashed once, in half the time of `hmac.digest`."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes) -> None:
        if len(secret) > _BLOCK_SIZE:
            secret = hashlib.sha256(secret).digest()
        block = secret.ljust(_BLOCK_SIZE, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, message: bytes) -> bytes:
        """The 32 bytes of the message's authentication code."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def signing_keys(secrets: Iterable[Any]) -> list[SigningKey]:
    """A key for each secret trimmed, as the server does, and as given where that differs.

    Raises `SaynaValidationError` for what is no text or too short.
    """
    __tracebackhide__ = True  # pytest would print the secrets
    forms: dict[str, None] = {}
    for secret in secrets:
        if not isinstance(secret, str):
            raise SaynaValidationError(f"Webhook secret must be str, got {type(secret).__name__}")
        trimmed = secret.strip()
        if len(trimmed) < MIN_SECRET_LENGTH:
            raise SaynaValidationError(
                f"Webhook secret must be at least {MIN_SECRET_LENGTH} characters long, "
                f"got {len(trimmed)}; `openssl rand -hex 32` makes a good one"
            )
        forms |= {trimmed: None, secret: None}
    return [SigningKey(form.encode("utf-8", "surrogateescape")) for form in forms]


def verify(keys: Iterable[SigningKey], message: bytes, claimed: bytes) -> None:
    """Raise `SaynaWebhookSignatureError` unless one of the keys made `claimed` of the message."""
    genuine = False
    for key in keys:  # every key, whether or not one fitted: the time taken tells nothing
        genuine |= hmac.compare_digest(key.digest(message), claimed)
    if not genuine:
        raise SaynaWebhookSignatureError(
            "Signature verification failed: another secret signed it, or something changed it on "
            "the way; sayna_testing.webhooks.explain() finds out which"
        )


def claimed_digest(signature: str) -> bytes:
    """The 32 bytes that a signature header stands for; hex digits of either case."""
    if not signature.startswith("v1="):
        raise SaynaWebhookSignatureError(
            "Invalid signature format: x-sayna-signature must begin with 'v1='"
        )
    try:
        digest = bytes.fromhex(signature[3:])
    except ValueError:
        digest = b""
    # fromhex() passes over white space, so both lengths count
    if len(digest) != _HEX_DIGITS // 2 or len(signature) != len("v1=") + _HEX_DIGITS:
        raise SaynaWebhookSignatureError(
            f"Invalid signature: must be {_HEX_DIGITS} hex characters after 'v1='"
        )
    return digest


def signed_headers(headers: Any) -> list[str]:
    """Signature, timestamp and event id, each present once and not empty.

    Raises `SaynaWebhookSignatureError`; `SaynaValidationError` for what cannot be headers at all.
    """
    # A dict with the lower-case names, as ASGI frameworks make it, needs no search. Should it hold
    # other spellings as well, they do not count: only what is verified is returned.
    found: list[Any] = [None]
    if type(headers) is dict:
        found = list(map(headers.get, SIGNED_HEADERS))  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] - the type is narrowed to a dict of anything
    if None in found:
        found = _search(headers)
    signature, stamp, event_id = found
    if type(signature) is type(stamp) is type(event_id) is str and signature and stamp and event_id:
        return found
    return [_single(name, value) for name, value in zip(SIGNED_HEADERS, found, strict=True)]


def _search(headers: Any) -> list[Any]:
    """Values of the three headers under any spelling of their names; a list for a repeated one."""
    found: list[Any] = [None, None, None]
    try:
        for name, value in headers.items() if hasattr(headers, "items") else headers:
            place = _PLACES.get(name.lower())
            if place is not None and value is not None:
                found[place] = value if found[place] is None else [found[place], value]
    except (AttributeError, TypeError, ValueError):
        pass
    else:
        return found
    raise SaynaValidationError(
        "headers must be a mapping, a multidict, a list of (name, value) pairs or a WSGI environ, "
        f"got {type(headers).__name__} of another shape"
    )


def _single(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        several: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - of anything
        if len(several) > 1:
            raise SaynaWebhookSignatureError(f"Header {name} came more than once")
        value = several[0] if several else None
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not value:
        raise SaynaWebhookSignatureError(f"Missing required header: {name}")
    return str(value)

"""Says why the signature of a webhook does not verify.

A signature tells whether a guess is right. So the faults that are seen in practice are undone, one
at a time and then two together; the first under which the signature fits is the cause, proven.
"""

import dataclasses
import hmac
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sayna_testing.webhooks.guesses import Guess, bodies, digests, event_ids, secrets, stamps
from sayna_testing.webhooks.moment import Moment, unix_seconds, wall_clock
from sayna_testing.webhooks.signing import default_secret

__all__ = ["Explanation", "explain"]

_NAMES = ("x-sayna-signature", "x-sayna-timestamp", "x-sayna-event-id")
_TOLERANCE = 300  # seconds, of receivers: rest.md 15.4
_SHORTEST_SECRET = 16  # characters
_LONGEST_TIMESTAMP = 20  # characters
_MOST_GUESSED_BODY = 64 * 1024  # bytes; larger ones would take long to hash so often


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why a webhook does not verify; `str()` is the text.

    `verified` means that nothing is wrong. `cause` is a short name, `text` says what to do; neither
    holds the secret, the signature or the body.
    """

    verified: bool
    cause: str
    text: str

    def __str__(self) -> str:
        return self.text


def explain(
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    body: bytes | str,
    secret: str | None = None,
    *,
    at: Moment | None = None,
) -> Explanation:
    """Find the likely cause why a webhook does not verify with `secret`.

    `headers` is a mapping, a multidict, a list of pairs or a WSGI environ; `secret` is by default
    the one of `WebhookSigner`; `at` is the moment of arrival, by default the present one.
    """
    found = _collect(headers)
    fault = _fault_of_headers(found)
    if fault is not None:
        return fault
    signature, stamp, event_id = (values[0] for values in found.values())
    key = default_secret() if secret is None else secret
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    guesses = _first_that_fits(bytes.fromhex(signature[3:]), key, stamp, event_id, raw)
    if guesses is None:
        return _unknown(key, raw)
    if guesses:
        cause = " and ".join(guess.cause for guess in guesses)
        return Explanation(False, cause, " ".join(guess.advice for guess in guesses))
    return _timing(stamp, unix_seconds(wall_clock() if at is None else at))


def _collect(headers: Any) -> dict[str, list[str]]:
    """The values of each signed header, from whatever shape they come in."""
    found: dict[str, list[str]] = {name: [] for name in _NAMES}
    for name, value in headers.items() if hasattr(headers, "items") else headers:
        key = _text(name).lower().removeprefix("http_").replace("_", "-")
        if key in found and value is not None:
            several = value if issubclass(type(value), list | tuple) else [value]
            found[key].extend(map(_text, several))
    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _fault_of_headers(found: dict[str, list[str]]) -> Explanation | None:
    for name, values in found.items():
        if not any(values):
            return Explanation(
                False,
                f"{name} missing",
                f"The header {name} did not come, or is empty: a proxy may drop it, or the request "
                "is not from Sayna.",
            )
        if len(values) > 1 or (name == _NAMES[0] and "," in values[0]):
            return Explanation(
                False, f"{name} repeated", f"The header {name} came more than once; it must not."
            )
    signature = found[_NAMES[0]][0]
    if re.fullmatch("v1=[0-9a-fA-F]{64}", signature):
        return None
    return Explanation(
        False,
        "a malformed signature",
        "x-sayna-signature must be 'v1=' and 64 hex digits; "
        + (
            f"{len(signature) - 3} characters follow."
            if signature.startswith("v1=")
            else "it begins otherwise, so another scheme or version made it."
        ),
    )


def _first_that_fits(
    claimed: bytes, secret: str, stamp: str, event_id: str, body: bytes
) -> list[Guess[Any]] | None:
    """The faults that explain the signature, the fewest possible; none: []; unknown: None."""
    columns: list[list[Guess[Any]]] = [
        [*secrets(secret)],
        [*stamps(stamp)],
        [*event_ids(event_id)],
        [*bodies(body)] if len(body) <= _MOST_GUESSED_BODY else [Guess(body)],
        [*digests()],
    ]
    for faults in range(3):
        for *parts, digest in _with_faults(columns, faults):
            if hmac.compare_digest(digest.value(*(part.value for part in parts)), claimed):
                return [guess for guess in (*parts, digest) if guess.cause]
    return None


def _with_faults(columns: list[list[Guess[Any]]], faults: int) -> Iterator[tuple[Guess[Any], ...]]:
    """One guess of each column, exactly `faults` of them with a cause."""
    for wrong in itertools.combinations(range(len(columns)), faults):
        yield from itertools.product(
            *(column[1:] if place in wrong else column[:1] for place, column in enumerate(columns))
        )


def _unknown(secret: str, body: bytes) -> Explanation:
    if b"\xef\xbf\xbd" in body:
        return Explanation(
            False,
            "bytes lost in decoding",
            "The body holds U+FFFD, so bytes that are no UTF-8 were replaced before it was "
            "verified: pass the raw bytes.",
        )
    short = (
        f" The secret has {len(secret.strip())} characters, fewer than a receiver takes."
        if len(secret.strip()) < _SHORTEST_SECRET
        else ""
    )
    return Explanation(
        False,
        "another secret, or a changed request",
        "No usual fault makes the signature fit. Most likely another secret signed it (a hook may "
        "have its own, else it is the server's SIP hook secret); if not, body, timestamp or event "
        f"id were changed after signing.{short}",
    )


def _timing(stamp: str, now: int) -> Explanation:
    """The signature fits; what is left is the age."""
    try:
        timestamp = int(stamp) if len(stamp) <= _LONGEST_TIMESTAMP else None
    except ValueError:
        timestamp = None
    if timestamp is None:
        return Explanation(
            False, "no timestamp", "Signed, but x-sayna-timestamp is no integer of Unix seconds."
        )
    distance = now - timestamp
    if abs(distance) <= _TOLERANCE:
        return Explanation(True, "nothing", "The signature fits and the timestamp is fresh.")
    if abs(now - timestamp // 1000) <= _TOLERANCE:
        return Explanation(
            False,
            "a timestamp in milliseconds",
            "Signed, but x-sayna-timestamp holds milliseconds: it must be seconds.",
        )
    side = "ago" if distance > 0 else "ahead"
    return Explanation(
        False,
        "a timestamp outside the tolerance",
        f"The signature fits, but it was made {abs(distance)} s {side}; receivers allow "
        f"{_TOLERANCE} s. It is a replay, a clock is wrong, or only one side's clock is frozen.",
    )

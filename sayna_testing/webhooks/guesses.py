"""What may have been signed instead of what came: each usual fault undone, with advice on it.

Every function returns guesses of which the first is that nothing is wrong.
"""

import base64
import dataclasses
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

from sayna_testing.webhooks.signing import WEBHOOK_SECRET

_T = TypeVar("_T")

Digest = Callable[[bytes, str, str, bytes], bytes]

_RAW_BODY = (
    "Verify the raw body: request.get_data() in Flask, await request.body() in FastAPI, "
    "request.body in Django, await request.read() in aiohttp."
)
_ORDER = (
    "participant",
    "room",
    "from_phone_number",
    "to_phone_number",
    "room_prefix",
    "sip_host",
    "sip_headers",
)  # rest.md 15.4
_MOST_ORDERS = 120  # of SIP headers, which the server sends in any order


@dataclasses.dataclass(frozen=True)
class Guess(Generic[_T]):
    """A value that may have been signed; without a cause it is the one that came."""

    value: _T
    cause: str = ""
    advice: str = ""


def secrets(secret: str) -> list[Guess[bytes]]:
    """Keys that may have been used instead of the trimmed secret."""
    trimmed = secret.strip()
    guesses = [
        Guess(_raw(trimmed)),
        Guess(
            _raw(secret),
            "white space around the secret",
            "It was signed with the white space around the secret, which Sayna never does.",
        ),
        Guess(
            _raw(trimmed.strip("\"'")),
            "quotes around the secret",
            "The quotes around the secret were taken for a part of it: leave them out.",
        ),
        Guess(
            b"",
            "an empty secret",
            "It was signed with an empty secret: the sender has none configured.",
        ),
        Guess(
            WEBHOOK_SECRET.encode(),
            "the secret of tests",
            "It was signed with sayna_testing.WEBHOOK_SECRET: give the signer the receiver's "
            "secret, or set SAYNA_WEBHOOK_SECRET for both.",
        ),
    ]
    for name, decode in (("hex", bytes.fromhex), ("base64", base64.b64decode)):
        try:
            key = decode(trimmed)
        except ValueError:
            continue
        guesses.append(
            Guess(
                key,
                f"the secret decoded from {name}",
                f"It was signed with the bytes that the secret stands for in {name}; Sayna takes "
                "the text as it is.",
            )
        )
    return guesses


def stamps(stamp: str) -> list[Guess[str]]:
    """Timestamps that may have been signed."""
    guesses = [Guess(stamp)]
    if stamp.strip() != stamp:
        guesses.append(
            Guess(stamp.strip(), "white space around the timestamp", "Trim x-sayna-timestamp.")
        )
    try:
        seconds = float(stamp)
        whole, thousandth = str(int(seconds)), str(int(seconds / 1000))
    except (ValueError, OverflowError):
        return guesses
    return [
        *guesses,
        Guess(whole, "a timestamp with a fraction", "x-sayna-timestamp must be whole seconds."),
        Guess(
            thousandth,
            "a timestamp in milliseconds",
            "Seconds were signed, but x-sayna-timestamp holds milliseconds: divide by 1000.",
        ),
        Guess(
            whole + "000",
            "a timestamp in milliseconds",
            "Milliseconds were signed, but x-sayna-timestamp holds seconds: sign the seconds.",
        ),
    ]


def event_ids(event_id: str) -> list[Guess[str]]:
    """Event ids that may have been signed."""
    return [
        Guess(event_id),
        Guess(event_id.strip(), "white space around the event id", "Trim x-sayna-event-id."),
        Guess("", "no event id", "The event id was left out of what was signed."),
    ]


def bodies(body: bytes) -> list[Guess[bytes]]:
    """Bodies that may have been signed."""
    return [
        Guess(body),
        Guess(body + b"\n", "a stripped newline", f"The body lost its last newline. {_RAW_BODY}"),
        Guess(body + b"\r\n", "a stripped newline", f"The body lost its last newline. {_RAW_BODY}"),
        Guess(
            body.strip(),
            "added white space",
            f"White space was added around the body, often a last newline. {_RAW_BODY}",
        ),
        Guess(
            body.removeprefix(b"\xef\xbb\xbf"),
            "an added byte order mark",
            "A byte order mark was put before the body: some editor or codec (utf-8-sig) did that.",
        ),
        Guess(
            b"\xef\xbb\xbf" + body,
            "a stripped byte order mark",
            f"The body lost its byte order mark, as decoding by utf-8-sig does. {_RAW_BODY}",
        ),
        Guess(
            body.replace(b"\r\n", b"\n"),
            "changed line ends",
            f"Line ends became CR LF on the way. {_RAW_BODY}",
        ),
        Guess(
            body.replace(b"\n", b"\r\n"),
            "changed line ends",
            f"Line ends lost their CR on the way. {_RAW_BODY}",
        ),
        *(
            Guess(
                text,
                "re-serialised JSON",
                f"The body was parsed and written anew, so its bytes differ. {_RAW_BODY}",
            )
            for text in _as_the_server_writes(body)
        ),
        *_decoded(body),
    ]


def digests() -> list[Guess[Digest]]:
    """Ways that the signature may have been made."""

    def of(*parts: bytes) -> bytes:
        return b":".join(parts)

    def keyed(message: Callable[[bytes, bytes, bytes], bytes]) -> Digest:
        return lambda key, stamp, event_id, body: hmac.digest(
            key, message(_raw(stamp), _raw(event_id), body), hashlib.sha256
        )

    def plain(key: bytes, stamp: str, event_id: str, body: bytes) -> bytes:
        return hashlib.sha256(of(b"v1", _raw(stamp), _raw(event_id), body)).digest()

    signed = "What is signed is v1:<timestamp>:<event id>:<body>"
    return [
        Guess(keyed(lambda stamp, event_id, body: of(b"v1", stamp, event_id, body))),
        Guess(keyed(lambda _s, _e, body: body), "only the body signed", f"{signed}, all of it."),
        Guess(
            keyed(lambda stamp, event_id, body: of(stamp, event_id, body)),
            "no version signed",
            f"{signed}; 'v1:' was left out.",
        ),
        Guess(
            keyed(lambda stamp, _e, body: of(b"v1", stamp, body)),
            "no event id signed",
            f"{signed}; the event id was left out.",
        ),
        Guess(
            keyed(lambda stamp, event_id, body: b".".join((b"v1", stamp, event_id, body))),
            "dots for colons",
            f"{signed}, joined by colons; dots were used.",
        ),
        Guess(
            keyed(lambda stamp, event_id, body: of(b"v1", event_id, stamp, body)),
            "event id before timestamp",
            f"{signed}; the event id was put before the timestamp.",
        ),
        Guess(plain, "a hash without a key", "It is a bare SHA-256; HMAC-SHA256 is needed."),
    ]


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _as_the_server_writes(body: bytes) -> Iterator[bytes]:
    """The body as compact JSON, in the order of its keys and in the server's (rest.md 15.4)."""
    try:
        payload: Any = json.loads(body)
    except ValueError:
        return
    orders: list[Any] = [payload]
    if isinstance(payload, dict):
        fields = cast("dict[str, Any]", payload)
        ordered = {key: fields[key] for key in _ORDER if key in fields} | fields
        for key, inner in (("participant", ("name", "identity", "sid")), ("room", ("name", "sid"))):
            if isinstance(ordered.get(key), dict):
                ordered[key] = {name: ordered[key][name] for name in inner if name in ordered[key]}
        orders.extend(_with_any_order_of_sip_headers(ordered))
    for order in orders:
        for escaped in (False, True):
            text = json.dumps(order, ensure_ascii=escaped, separators=(",", ":"))
            yield text.encode("utf-8", "surrogatepass")


def _with_any_order_of_sip_headers(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    headers: Any = payload.get("sip_headers")
    if not isinstance(headers, dict):
        yield payload
        return
    named = cast("dict[str, Any]", headers)
    for order in itertools.islice(itertools.permutations(named.items()), _MOST_ORDERS):
        yield {**payload, "sip_headers": dict(order)}


def _decoded(body: bytes) -> Iterator[Guess[bytes]]:
    """The body with one encoding taken off that was put on on the way."""
    attempts: tuple[tuple[Callable[[], bytes], str, str], ...] = (
        (
            lambda: body.decode().encode("latin-1"),
            "a wrong character set",
            f"The body was decoded as latin-1, then encoded as UTF-8. {_RAW_BODY}",
        ),
        (
            lambda: base64.b64decode(body, validate=True),
            "a body in base64",
            "The body is in base64, as API gateways hand binary bodies over: decode it first.",
        ),
        (
            lambda: str.encode(json.loads(body)),
            "JSON within JSON",
            f"The body was written as a JSON string of its text. {_RAW_BODY}",
        ),
    )
    for decode, cause, advice in attempts:
        try:
            decoded = decode()
        except (ValueError, TypeError):  # it is not encoded like this
            continue
        yield Guess(decoded, cause, advice)

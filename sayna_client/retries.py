"""When a REST call is made again, and when a lost connection is: pure rules."""

from __future__ import annotations

import random

from sayna_client.errors import SaynaConnectionError, SaynaError

RETRIES = 2
# Not made again once a byte has left: the first may have spoken, dialled or removed somebody.
_ONCE = frozenset(
    {
        ("POST", "/speak"),
        ("POST", "/sip/call"),
        ("POST", "/sip/transfer"),
        ("DELETE", "/livekit/participant"),
    }
)
_PASSING = frozenset({429, 502, 504})
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 5.0


def once(method: str, endpoint: str) -> bool:
    """Return whether a request must not reach the server twice."""
    return (method, endpoint) in _ONCE


def may_retry(method: str, endpoint: str, error: SaynaError, *, sent: bool) -> bool:
    """Return whether another attempt is right.

    A plain 500 or 503 is how the server says "not configured" (rest.md 2), so these are final.
    """
    if once(method, endpoint) and sent:
        return False
    if isinstance(error, SaynaConnectionError):
        return True
    return error.status_code in _PASSING or (
        error.status_code == 503 and error.retry_after is not None
    )


def delay(attempt: int, error: SaynaError) -> float:
    """Return the seconds before the next attempt: what the server asked for, else full jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return full_jitter(attempt, _FIRST_DELAY, _LONGEST_DELAY)


def full_jitter(attempt: int, base: float, cap: float) -> float:
    """Return a random delay up to `base` doubled `attempt` times, at most `cap`."""
    return random.uniform(0.0, min(cap, base * 2.0 ** min(attempt, 60)))

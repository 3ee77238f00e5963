"""Whether and when a lost connection is made again: the policy and its rules, pure."""

from __future__ import annotations

from dataclasses import dataclass

from sayna_client.checks import above_zero, whole_number
from sayna_client.errors import SaynaConnectionError, SaynaRefusedError
from sayna_client.events import ConnectionClosed
from sayna_client.retries import full_jitter

# Worth another try: going away, abnormal, server error, restart, try later, bad gateway.
# A Close without a code is how Sayna ends a session (websocket.md 9.4), and so is 1000.
_PASSING_CODES = frozenset({1001, 1006, 1011, 1012, 1013, 1014})
_PASSING_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    """Reconnect after a loss: a new session with a new stream id, nothing is said again.

    Attributes:
        attempts: how many in a row; counted anew after `stable` seconds of a ready connection.
        within: seconds from the loss until `ready`, then the loss is final.
        first_delay: the longest first delay in seconds; doubled with each attempt, full jitter.
        longest_delay: the longest delay in seconds.
        stable: seconds.
        with_livekit: also with a LiveKit room, which the server deletes with the session.
    """

    attempts: int = 5
    within: float = 60.0
    first_delay: float = 0.5
    longest_delay: float = 10.0
    stable: float = 30.0
    with_livekit: bool = False

    def __post_init__(self) -> None:
        whole_number("attempts", self.attempts)
        for name in ("within", "first_delay", "longest_delay", "stable"):
            above_zero(name, getattr(self, name))

    def delay(self, attempt: int) -> float:
        """Return a random delay before an attempt, counted from 0."""
        return full_jitter(attempt, self.first_delay, self.longest_delay)


def is_loss(closed: ConnectionClosed) -> bool:
    """Return whether a connection was lost rather than ended."""
    return closed.initiator == "network" or (
        closed.initiator == "server" and closed.code in _PASSING_CODES
    )


def is_final(error: SaynaConnectionError) -> bool:
    """Return whether a failed attempt makes more attempts pointless."""
    if isinstance(error, SaynaRefusedError):
        return True
    status = error.status_code
    if status is not None and 400 <= status < 500:
        return status not in _PASSING_STATUSES
    return error.close_code is not None and error.close_code not in _PASSING_CODES

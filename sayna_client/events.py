"""What a client tells of itself, next to the frames of the server; and where each is handled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sayna_client.errors import SaynaConnectionError

# Each event and the lane in which its handlers run.
LANES = {
    "tts_audio": "speech",
    "tts_playback_complete": "speech",
    "stt_result": "transcripts",
    "vad_event": "transcripts",
    "message": "room",
    "participant_connected": "room",
    "participant_disconnected": "room",
    "track_subscribed": "room",
    "ready": "session",
    "error": "session",
    "sip_transfer_error": "session",
    "unknown": "session",
    "reconnecting": "session",
    "closed": "session",
    "handler_error": "session",
}
# What is no frame of the server stays out of `events()`.
OWN_EVENTS = frozenset({"reconnecting", "closed", "handler_error"})


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """How a connection ended.

    Attributes:
        code: the number in the Close frame; None where there was no frame or no number in it.
        reason: the text in the Close frame, or of the error that broke the connection.
        initiator: who ended it; "network" when nobody said good-bye.
        clean: whether a Close frame came; the real server answers none of ours (websocket.md 12).
    """

    code: int | None
    reason: str
    initiator: Literal["client", "server", "network"]
    clean: bool

    def __str__(self) -> str:
        code = f"code {self.code}" if self.code is not None else "no close code"
        return f"closed by the {self.initiator} ({code}{self.reason and f', {self.reason}'})"


def end_error(closed: ConnectionClosed, when: str) -> SaynaConnectionError:
    """Return what is raised where a connection was needed that has ended."""
    return SaynaConnectionError(
        f"The connection was {closed} {when}",
        close_code=closed.code,
        close_reason=closed.reason,
    )


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection was lost; attempt number `attempt` starts in `delay` seconds."""

    attempt: int
    delay: float
    closed: ConnectionClosed


@dataclass(frozen=True, slots=True)
class HandlerError:
    """A handler of `event` raised `error`."""

    event: str
    handler: Callable[[Any], object]
    error: BaseException


@dataclass(frozen=True, slots=True)
class Counters:
    """What a client has seen and what is waiting.

    Attributes:
        events: frames received, audio included.
        audio: bytes of audio received.
        waiting_events: events waiting for handlers and iterators.
        waiting_audio: bytes of audio waiting likewise.
        pauses: how often reading stopped because a bound was reached.
        handler_errors: exceptions out of handlers.
    """

    events: int
    audio: int
    waiting_events: int
    waiting_audio: int
    pauses: int
    handler_errors: int

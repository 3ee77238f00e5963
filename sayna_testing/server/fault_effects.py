"""What can go wrong, as values: on HTTP, on the frames of a session, at a provider."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delay:
    """It happens so many seconds late; on a session, all that is queued behind it waits too."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is cut without a word, on TCP by a reset."""


@dataclass(frozen=True, slots=True)
class Status:
    """This answer instead of the true one; nothing is done."""

    status: int
    body: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Malformed:
    """Only the first half of the true body, as if it were whole."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """The connection is cut in the middle of a body or frame."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another body behind the true status."""

    body: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The frame is lost."""


@dataclass(frozen=True, slots=True)
class Duplicated:
    """The frame comes twice."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """The frame comes behind its successor."""


@dataclass(frozen=True, slots=True)
class Oversize:
    """A binary frame of so many bytes comes before the frame."""

    size: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A Close, with a code or none, comes instead of the frame."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Silent:
    """From the frame on nothing is read, answered or sent, for so many seconds or for ever."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class AudioCut:
    """The rest of the audio of a speech is lost behind so many bytes."""

    after: int


@dataclass(frozen=True, slots=True)
class RecogniserFails:
    """The recogniser fails with an STTError text (websocket.md 8.5)."""

    text: str


@dataclass(frozen=True, slots=True)
class RecogniserRefuses:
    """The recogniser refuses its link (websocket.md 4.2.6)."""


@dataclass(frozen=True, slots=True)
class SpeechFails:
    """A synthesis fails with a TTSError text, behind so many bytes of audio (websocket.md 6.4)."""

    text: str
    after: int


HttpEffect = Delay | Reset | Status | Malformed | Truncated | Replaced
FrameEffect = (
    Delay
    | Reset
    | Truncated
    | Dropped
    | Duplicated
    | Swapped
    | Oversize
    | Closed
    | Silent
    | AudioCut
    | RecogniserFails
)
ProviderEffect = RecogniserRefuses | SpeechFails
Effect = HttpEffect | FrameEffect | ProviderEffect

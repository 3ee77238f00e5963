"""Every error this package raises.

```
SaynaError
├─ SaynaNotConnectedError          a command without an open socket
├─ SaynaNotReadyError              a command before the server said `ready`
├─ SaynaConnectionError            refused, lost, closed, timed out; `cause`, `close_code`
│  ├─ SaynaRefusedError            the server answered the configuration with an error
│  └─ SaynaTimeoutError            a limit passed (also a TimeoutError)
├─ SaynaSpeechError                what `say()` sent was cleared or failed
├─ SaynaValidationError            a bad argument, or a 4xx other than 403 and 404
│  └─ SaynaWebhookError            a webhook request that is refused
│     ├─ SaynaWebhookSignatureError    not signed, or not by one of the secrets
│     ├─ SaynaWebhookTimestampError    too old, too far ahead, or no time at all
│     ├─ SaynaWebhookReplayError       its event id came before
│     └─ SaynaWebhookPayloadError      too large, no JSON, or not the right fields
└─ SaynaServerError                the server failed (5xx) or sent what nobody can read
   └─ SaynaHttpError               403 and 404
```

Whatever the class, an error that came from an HTTP answer keeps `status_code`, `code`, `body`,
`headers`, `endpoint` and `retry_after`; on all others they are None (`headers`: empty).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack


class AnswerDetails(TypedDict, total=False):
    """What the body and headers of an HTTP answer add to an error."""

    code: str | None
    body: str | None
    headers: Mapping[str, str]
    retry_after: float | None


class ErrorDetails(AnswerDetails, total=False):
    """What an HTTP answer adds to an error."""

    status_code: int | None
    endpoint: str | None


class SaynaError(Exception):
    """Base of all errors of this package; `message` is what `str()` shows."""

    def __init__(self, message: str, **details: Unpack[ErrorDetails]) -> None:
        super().__init__(message)
        self.message = message
        self.status_code: int | None = details.get("status_code")
        self.code: str | None = details.get("code")
        self.body: str | None = details.get("body")
        self.headers: Mapping[str, str] = details.get("headers", {})
        self.endpoint: str | None = details.get("endpoint")
        self.retry_after: float | None = details.get("retry_after")


class SaynaNotConnectedError(SaynaError):
    """A command was called without an open connection."""

    def __init__(self, message: str = "Not connected: call connect() first") -> None:
        super().__init__(message)


class SaynaNotReadyError(SaynaError):
    """A command was called before the server was ready."""

    def __init__(
        self, message: str = "Connected, but the server is not ready yet: wait for `ready`"
    ) -> None:
        super().__init__(message)


class SaynaConnectionError(SaynaError):
    """The connection could not be made, broke or was closed; `cause` is the error underneath."""

    def __init__(
        self,
        message: str,
        cause: BaseException | None = None,
        *,
        close_code: int | None = None,
        close_reason: str = "",
        **details: Unpack[ErrorDetails],
    ) -> None:
        super().__init__(message, **details)
        self.cause = cause
        self.close_code = close_code
        self.close_reason = close_reason


class SaynaRefusedError(SaynaConnectionError):
    """The server answered the configuration with an error; the message holds the server's words."""


class SaynaTimeoutError(SaynaConnectionError, TimeoutError):
    """A time limit passed: opening, `ready`, sending, a REST call or a wait."""


class SaynaSpeechError(SaynaError):
    """Speech sent by `say()` did not play out: it was cleared or its synthesis failed."""


class SaynaValidationError(SaynaError):
    """An argument or configuration is not usable, or the server called the request bad."""


class SaynaWebhookError(SaynaValidationError):
    """A webhook request is refused; the subclass says why, the message holds nothing of it."""


class SaynaWebhookSignatureError(SaynaWebhookError):
    """The request is not signed, or not by one of the receiver's secrets."""


class SaynaWebhookTimestampError(SaynaWebhookError):
    """The request is too old or too far ahead, or its timestamp is no time."""


class SaynaWebhookReplayError(SaynaWebhookError):
    """The request is genuine, but its event id came before."""


class SaynaWebhookPayloadError(SaynaWebhookError):
    """The body is too large, no JSON, or lacks what a call has to say."""


class SaynaServerError(SaynaError):
    """The server failed, or its answer could not be understood."""

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        endpoint: str | None = None,
        **details: Unpack[AnswerDetails],
    ) -> None:
        super().__init__(message, status_code=status_code, endpoint=endpoint, **details)


class SaynaHttpError(SaynaServerError):
    """The server denied access (403) or knows no such thing (404)."""

    def __init__(
        self,
        message: str,
        status_code: int,
        endpoint: str | None = None,
        **details: Unpack[AnswerDetails],
    ) -> None:
        super().__init__(message, status_code, endpoint, **details)

    def __reduce__(self) -> tuple[object, ...]:
        # What is required has to travel: a process pool dies of an error it cannot make again.
        return type(self), (self.message, self.status_code), vars(self)

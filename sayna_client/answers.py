"""HTTP answers as values: headers, bodies, and which error a refusal is (rest.md 3). Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast, overload

from sayna_client.errors import (
    SaynaError,
    SaynaHttpError,
    SaynaServerError,
    SaynaValidationError,
)

T = TypeVar("T")
# 403 and 404 have a class and a prefix; every other 4xx is a bad request (sdk-surface.md 8).
_PREFIXES = {403: "Access denied: ", 404: "Not found or not accessible: "}
_LONGEST_TEXT = 500


class Headers(dict[str, str]):
    """Response headers: a dict with lower-case names that is asked in any case."""

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__((name.lower(), value) for name, value in items)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.lower() if isinstance(name, str) else name)

    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...

    @overload
    def get(self, name: str, default: str, /) -> str: ...

    @overload
    def get(self, name: str, default: T, /) -> str | T: ...

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return a header, or the default."""
        return super().get(name.lower(), default)


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An HTTP answer as it came, whatever its status."""

    status: int
    reason: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            SaynaServerError: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            failure = SaynaServerError(
                f"Failed to decode JSON response: {len(self.body)} bytes of"
                f" {self.headers.get('content-type', 'no content type')}",
                body=self.text,
                headers=self.headers,
            )
        raise failure


def failure(response: RawResponse, endpoint: str, now: float) -> SaynaError:
    """Return the error an answer stands for; `now` is the wall clock, for a Retry-After date."""
    status = response.status
    text, code = _reason(response)
    details: dict[str, Any] = {
        "code": code,
        "body": response.text,
        "headers": response.headers,
        "endpoint": endpoint,
        "retry_after": retry_after(response.headers.get("retry-after"), now),
    }
    if status in _PREFIXES:
        return SaynaHttpError(f"{_PREFIXES[status]}{text}", status, **details)
    if 400 <= status < 500:
        return SaynaValidationError(text, status_code=status, **details)
    return SaynaServerError(text, status, **details)


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date seen from `now`."""
    if value is None:
        return None
    try:
        seconds = float(value) if value.strip().isdigit() else _until(value, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _until(date: str, now: float) -> float:
    return max(parsedate_to_datetime(date).timestamp() - now, 0.0)


def _reason(response: RawResponse) -> tuple[str, str | None]:
    """Read the text and the machine-readable code out of the five error shapes."""
    try:
        body: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return _plain(response), None
    if not isinstance(body, dict):
        return f"HTTP {response.status}", None
    fields = cast("dict[str, object]", body)
    error, message, code = fields.get("error"), fields.get("message"), fields.get("code")
    if isinstance(error, Mapping):
        nested = cast("Mapping[str, object]", error)
        error, message = None, message or nested.get("message")
        code = code or nested.get("code")
    if isinstance(error, str) and isinstance(message, str) and message:
        return message, code if isinstance(code, str) else error
    text = next((one for one in (error, message) if isinstance(one, str) and one), None)
    return text or f"HTTP {response.status}", code if isinstance(code, str) else None


def _plain(response: RawResponse) -> str:
    known = f"HTTP {response.status}: {response.reason}".removesuffix(": ")
    text = response.text.strip()
    if response.headers.get("content-type", "").startswith("text/plain") and text:
        return f"{known}: {text[:_LONGEST_TEXT]}"
    return known

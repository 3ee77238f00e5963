"""What a route handler works with, and how it breaks off."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from sayna_testing.server.rest.messages import Headers, Request, Response, plain
from sayna_testing.server.state import ServerState


class Posted(NamedTuple):
    """What the other end of an outgoing request answered, redirects followed."""

    status: int
    body: bytes


class PostError(Exception):
    """An outgoing request that got no answer; the text is the HTTP client's."""


class Limits(NamedTuple):
    """Seconds an outgoing request may take altogether, and to get a connection."""

    total: float
    connect: float | None = None


Post = Callable[[str, Headers, bytes, Limits], Awaitable[Posted]]
"""POST `body` with `headers` to a URL within limits; raises PostError."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error
    """Breaks a handler off with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


@dataclass(frozen=True, slots=True)
class Context:
    """One request in a handler; `auth_id` is the effective one, "" is unscoped (rest.md 5)."""

    state: ServerState
    request: Request
    post: Post
    auth_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict[str, str])

    def param(self, name: str) -> str:
        """A path segment, percent-decoded; bytes that are no UTF-8 are refused (rest.md 6.2)."""
        segment = self.params[name].encode("utf-8", "surrogateescape")
        try:
            return unquote_to_bytes(segment).decode()
        except UnicodeDecodeError as error:
            refusal = plain(400, f"Invalid URL: Invalid UTF-8 in `{name}`")
            raise Refusal(refusal) from error

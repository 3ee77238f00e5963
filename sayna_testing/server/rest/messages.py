"""Requests and responses as values, and the five shapes an error has (rest.md 3)."""

import json
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: the path and query as they came, undecoded, and the whole body.

    Bytes beyond ASCII in path and query are UTF-8, in headers Latin-1. A `broken` body came in
    chunks that cannot be read to their end.
    """

    method: str
    raw_path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    broken: bool = False
    http_version: tuple[int, int] = (1, 1)

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, complete but for `date`; header values are UTF-8 on the wire."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A `/ws` request that was authorised and whose headers are right; `auth_id` "" is unscoped."""

    auth_id: str
    key: str


def dump(value: Any) -> bytes:
    """JSON as the server writes it: compact, in the order of the keys, UTF-8 unescaped."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON body."""
    return body_response(status, JSON, dump(value))


def body_response(status: int, content_type: str, body: bytes, *more: tuple[str, str]) -> Response:
    """A body of a type; `more` headers go between the two usual ones and the end."""
    headers = (("content-type", content_type), ("content-length", str(len(body))), *more)
    return Response(status, headers, body)


def prose(status: int, text: str) -> Response:
    """Shape A: human text under `error`."""
    return json_response({"error": text}, status)


def prose_with_code(status: int, code: str, text: str) -> Response:
    """Shape B: human text under `error`, and a code."""
    return json_response({"error": text, "code": code}, status)


def code_with_message(status: int, code: str, text: str) -> Response:
    """Shape C: a machine code under `error`, human text under `message`; the auth layer's."""
    return json_response({"error": code, "message": text}, status)


def plain(status: int, text: str) -> Response:
    """Shape D: plain text; the framework's."""
    return body_response(status, TEXT, text.encode())


def empty(status: int, *headers: tuple[str, str]) -> Response:
    """Shape E: no body and no content type."""
    return Response(status, (*headers, ("content-length", "0")))

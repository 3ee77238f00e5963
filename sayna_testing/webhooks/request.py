"""A signed webhook request, in the shapes that clients and frameworks take."""

import dataclasses
import io
import json
import shlex
from typing import Any

__all__ = ["SignedWebhook"]

Pairs = tuple[tuple[str, str], ...]

_LARGE = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class SignedWebhook:
    """One POST as Sayna sends it: raw body and headers (rest.md 15.4).

    `event_id` and `timestamp` (Unix seconds) are what the request says, `secret` is what signed it.
    `pinned` tells a moment of signing that the test named from one that the clock gave.
    """

    body: bytes = dataclasses.field(repr=False)
    header_pairs: Pairs = dataclasses.field(repr=False)
    event_id: str
    timestamp: int
    secret: str = dataclasses.field(repr=False)
    pinned: bool = dataclasses.field(default=False, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers as a new dict; values of a repeated name are joined by commas (RFC 9110)."""
        joined: dict[str, str] = {}
        for name, value in self.header_pairs:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined

    @property
    def payload(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)

    def as_flask(self) -> dict[str, Any]:
        """Keywords for `post` of Flask's and Werkzeug's test client and request contexts."""
        return {"data": self.body, "headers": list(self.header_pairs)}

    def as_starlette(self) -> dict[str, Any]:
        """Keywords for `post` of the test client of FastAPI and Starlette, and of httpx."""
        return {"content": self.body, "headers": list(self.header_pairs)}

    def as_django(self) -> dict[str, Any]:
        """Keywords for `post` of Django's test clients and request factories."""
        headers = self.headers
        content_type = headers.pop("content-type", "application/octet-stream")
        return {"data": self.body, "content_type": content_type, "headers": headers}

    def as_aiohttp(self) -> dict[str, Any]:
        """Keywords for `post` of aiohttp's clients, the test client among them."""
        # aiohttp warns of large bodies that are plain bytes
        data = self.body if len(self.body) < _LARGE else io.BytesIO(self.body)
        return {"data": data, "headers": list(self.header_pairs)}

    def curl(self, url: str) -> str:
        """A shell command that sends this request; as good as the request while it is fresh."""
        try:
            body = self.body.decode()
        except UnicodeDecodeError:
            body = "\0"
        source, data = "", f"--data-raw {shlex.quote(body)}"
        if "\0" in body:  # what an argument of a command cannot hold comes through a pipe
            octal = "".join(f"\\{byte:03o}" for byte in self.body)
            source, data = f"printf {shlex.quote(octal)} | ", "--data-binary @-"
        headers = "".join(f" -H {shlex.quote(_curl_header(*pair))}" for pair in self.header_pairs)
        return f"{source}curl -sS -X POST{headers} {data} {shlex.quote(url)}"


def _curl_header(name: str, value: str) -> str:
    """`name: value`; curl leaves a header without a value out unless it ends with a semicolon."""
    return f"{name}: {value}" if value else f"{name};"

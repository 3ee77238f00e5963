"""Where a client goes: one URL in, the WebSocket and the REST targets out (sdk-surface.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from yarl import URL

from sayna_client.errors import SaynaValidationError

_SCHEMES = {
    "http": ("http", "ws"),
    "ws": ("http", "ws"),
    "https": ("https", "wss"),
    "wss": ("https", "wss"),
}


@dataclass(frozen=True, slots=True)
class Targets:
    """The two addresses of a server; `rest` ends without a slash, a query travels with both."""

    websocket: str
    rest: str
    query: str

    def websocket_url(self) -> URL:
        """Return the WebSocket target for aiohttp, taken as it is."""
        return URL(self.websocket, encoded=True)

    def endpoint(self, path: str) -> URL:
        """Return the URL of a REST path, which is percent-encoded already."""
        slash = "" if path.startswith("/") else "/"
        query = f"?{self.query}" if self.query else ""
        return URL(f"{self.rest}{slash}{path}{query}", encoded=True)


def targets(url: object) -> Targets:
    """Read any accepted form of a server's URL: http(s) or ws(s), with a base path, `/ws`, a query.

    Raises:
        SaynaValidationError: not a non-empty str, another scheme, or no host.
    """
    __tracebackhide__ = True  # pytest would print a key in the query
    if not isinstance(url, str) or not url.strip():
        raise SaynaValidationError("URL must be a non-empty string")
    parts = _split(url)
    path = parts.path.rstrip("/").removesuffix("/ws").rstrip("/")
    http, ws = _SCHEMES[parts.scheme]
    return Targets(
        websocket=urlunsplit((ws, parts.netloc, f"{path}/ws", parts.query, "")),
        rest=urlunsplit((http, parts.netloc, path, "", "")),
        query=parts.query,
    )


def base_url(url: str) -> str:
    """Return what `base_url` shows: an http(s) URL as given, a ws(s) one turned into http(s)."""
    parts = _split(url)
    if parts.scheme in ("http", "https") and not parts.path.rstrip("/").endswith("/ws"):
        return url
    found = targets(url)
    return found.rest + (f"?{found.query}" if found.query else "")


def segment(name: str) -> str:
    """Percent-encode one path segment; nothing is safe, dots that mean a directory neither.

    Raises:
        SaynaValidationError: UTF-8 has no form of it.
    """
    try:
        quoted = quote(name, safe="")
    except UnicodeEncodeError:
        raise SaynaValidationError("a name in an address must be text without surrogates") from None
    return quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted


def shown(url: str) -> str:
    """Return a URL fit for logs and errors: without user info, with query values hidden."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{pair.partition('=')[0]}=***" for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def check_proxy(url: object) -> None:
    """Check that an optional proxy is an http(s) URL with a host.

    Raises:
        SaynaValidationError: it is none; its text holds nothing of it, for it may be a password.
    """
    __tracebackhide__ = True
    if url is None:
        return
    parts = urlsplit(url) if isinstance(url, str) else SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SaynaValidationError(
            "proxy must start with http:// or https://, followed by a host;"
            f" got {'another str' if isinstance(url, str) else type(url).__name__}"
        )


def _split(url: str) -> SplitResult:
    __tracebackhide__ = True
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise SaynaValidationError(
            f"URL must start with http://, https://, ws:// or wss:// and be well formed: {error}"
        ) from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise SaynaValidationError(
            "URL must start with http://, https://, ws:// or wss://, followed by a host"
        )
    return parts

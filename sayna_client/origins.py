"""Servers that live in this process: their clients get the connector registered for them.

The one seam between the SDK and a fake server in the same process; without a registration it does
nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_lock = threading.Lock()
_connectors: dict[tuple[str, int], list[Callable[[], aiohttp.BaseConnector]]] = {}


def register_origin(
    host: str, port: int, connector: Callable[[], aiohttp.BaseConnector]
) -> Callable[[], None]:
    """Route every client of this process that talks to `host:port` through `connector`.

    Returns a function that undoes it. The last one registered wins. `connector` is called
    in the running loop, once per aiohttp session, which owns what it returns.
    """
    key = (_same_host(host), port)
    with _lock:
        _connectors.setdefault(key, []).append(connector)

    def undo() -> None:
        with _lock:
            factories = _connectors.get(key, [])
            if connector in factories:
                factories.remove(connector)
            if not factories:
                _connectors.pop(key, None)

    return undo


def connector_for(url: str) -> aiohttp.BaseConnector | None:
    """Return a new connector for the origin of `url`, or None where nobody registered."""
    with _lock:
        if not _connectors:
            return None
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    with _lock:
        factories = _connectors.get((_same_host(parts.hostname or ""), port))
        factory = factories[-1] if factories else None
    return factory() if factory else None


def _same_host(host: str) -> str:
    host = host.lower()
    return "127.0.0.1" if host == "localhost" else host

"""Which host a SIP call was for (rest.md 15.3)."""

import re
from collections.abc import Mapping

from sayna_testing.server.text import trim

_SCHEME = re.compile(r"sips?:")
_PORT = re.compile(r":[0-9]+\Z")


def sip_host(attributes: Mapping[str, str]) -> str | None:
    """The host of a call by its participant's attributes; `sip.h.x-to-ip` wins by mere presence."""
    header = attributes.get("sip.h.x-to-ip", attributes.get("sip.h.to"))
    return None if header is None else parse_host(header)


def parse_host(header: str) -> str | None:
    """The host in a SIP header; a URI keeps its port, a bare host loses it."""
    value = trim(header)
    opened, closed = value.find("<"), value.find(">")
    if 0 <= opened < closed:
        value = value[opened + 1 : closed]
    value = value.partition(";")[0]
    if _SCHEME.match(value):
        _, at, host = value.partition("@")
        return trim(host).lower() if at else None
    if "." not in value or " " in value or "@" in value:
        return None
    return _PORT.sub("", value).lower()

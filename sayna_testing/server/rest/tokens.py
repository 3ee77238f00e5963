"""JSON Web Tokens with the header and claims in a set order, through PyJWT."""

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from jwt import PyJWS, PyJWTError
from jwt.algorithms import HMACAlgorithm

from sayna_testing.server.rest.messages import dump

LEEWAY = 60
"""Seconds a clock may be off (rest.md 15.1)."""


class _AnyLength(HMACAlgorithm):
    """LiveKit takes secrets of any length; PyJWT would warn of a short one."""

    def check_key_length(self, key: bytes) -> None:
        return None


_JWS = PyJWS(algorithms=["HS256", "RS256", "ES256"])
_JWS.unregister_algorithm("HS256")
_JWS.register_algorithm("HS256", _AnyLength(HMACAlgorithm.SHA256))


def sign(claims: Mapping[str, Any], key: Any, algorithm: str) -> str:
    """Return a compact token; raises PyJWTError, ValueError or TypeError for a bad key."""
    return _JWS.encode(dump(claims), key, algorithm, sort_headers=False)


def verify(token: str, secret: str, issuer: str) -> Mapping[str, Any] | None:
    """Return the claims of a LiveKit token, None when it is not valid now (rest.md 15.1).

    `exp` must be there; `iss` and `nbf` are checked if they are; `aud` must not be.
    """
    try:
        payload = _JWS.decode(token, secret, algorithms=["HS256"])
        claims = json.loads(payload)
    except (PyJWTError, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    found = cast("dict[str, Any]", claims)
    return found if _is_valid(found, issuer) else None


def _is_valid(claims: Mapping[str, Any], issuer: str) -> bool:
    now = time.time()
    return (
        _lies_after(claims.get("exp"), now - LEEWAY)
        and not _lies_after(claims.get("nbf", now), now + LEEWAY)
        and claims.get("iss", issuer) == issuer
        and "aud" not in claims
    )


def _lies_after(when: object, limit: float) -> bool:
    return isinstance(when, int | float) and when >= limit

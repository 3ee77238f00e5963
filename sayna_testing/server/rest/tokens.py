"""JSON Web Tokens with the header and claims in a set order, through PyJWT.

PyJWT and what it needs for asymmetric keys are loaded by the first token, not by this import.
"""

import json
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sayna_testing.server.rest.messages import dump

if TYPE_CHECKING:
    from jwt import PyJWS

LEEWAY = 60
"""Seconds a clock may be off (rest.md 15.1)."""


class KeyRefusedError(ValueError):
    """A key that cannot sign."""


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """Return a compact HS256 token."""
    return _jws().encode(dump(claims), secret, "HS256", sort_headers=False)


def sign_with_pem(claims: Mapping[str, Any], pem: str) -> str:
    """Return a compact token, RS256 or ES256 by the key; raises KeyRefusedError."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt import PyJWTError

    try:
        key: Any = load_pem_private_key(pem.encode(), password=None)
        algorithm = "ES256" if isinstance(key, EllipticCurvePrivateKey) else "RS256"
        return _jws().encode(dump(claims), key, algorithm, sort_headers=False)
    except (PyJWTError, ValueError, TypeError) as error:
        raise KeyRefusedError from error


def verify(token: str, secret: str, issuer: str) -> Mapping[str, Any] | None:
    """Return the claims of a LiveKit token, None when it is not valid now (rest.md 15.1).

    `exp` must be there; `iss` and `nbf` are checked if they are; `aud` must not be.
    """
    from jwt import PyJWTError

    try:
        claims = json.loads(_jws().decode(token, secret, algorithms=["HS256"]))
    except (PyJWTError, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    found = cast("dict[str, Any]", claims)
    return found if _is_valid(found, issuer) else None


@cache
def _jws() -> "PyJWS":
    from jwt import PyJWS
    from jwt.algorithms import HMACAlgorithm

    class AnyLength(HMACAlgorithm):
        """LiveKit takes secrets of any length; PyJWT would warn of a short one."""

        def check_key_length(self, key: bytes) -> None:
            return None

    jws = PyJWS(algorithms=["HS256", "RS256", "ES256"])
    jws.unregister_algorithm("HS256")
    jws.register_algorithm("HS256", AnyLength(HMACAlgorithm.SHA256))
    return jws


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

"""Google credentials: a dict, JSON text or a path (sdk-surface.md 9); its only file access."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar, cast

from sayna_client import types
from sayna_client.errors import SaynaValidationError

_NO_JSON = object()
Config = TypeVar("Config", "types.STTConfig", "types.TTSConfig")


def resolve_google_credentials(credentials: str | dict[str, Any]) -> dict[str, Any]:
    """Return credentials as a dict; a str is tried as JSON, then as a path.

    Raises:
        SaynaValidationError: neither; the text never quotes what was given.
    """
    __tracebackhide__ = True  # pytest would print the credentials
    if isinstance(credentials, dict):
        return credentials
    if not isinstance(credentials, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers are not all typed
        raise SaynaValidationError(
            f"Google credentials must be a dict or str, got {type(credentials).__name__}"
        )
    parsed = _parsed(credentials)
    if parsed is _NO_JSON:
        return _from_file(credentials)
    return _object(parsed, "Google credentials JSON must parse to an object")


def resolve_provider_auth(auth: types.ProviderAuth | None) -> types.ProviderAuth | None:
    """Resolve a `GoogleAuth` that holds a str into a new one; return anything else as it is."""
    if isinstance(auth, types.GoogleAuth) and isinstance(auth.credentials, str):
        return types.GoogleAuth(credentials=resolve_google_credentials(auth.credentials))
    return auth


def resolve_config_auth(config: Config | None) -> Config | None:
    """Return the config with credentials resolved; itself when there was nothing to resolve."""
    if config is None:
        return None
    auth = resolve_provider_auth(config.auth)
    return config if auth is config.auth else config.model_copy(update={"auth": auth})


def _from_file(path: str) -> dict[str, Any]:
    __tracebackhide__ = True
    if path.lstrip().startswith(("{", "[", '"')):
        raise SaynaValidationError(
            "Google credentials look like JSON but are not valid;"
            " they could not be read as a file either"
        )
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SaynaValidationError(
            f"Google credentials could not be read as a file: {_why(error)}"
        ) from None
    parsed = _parsed(text)
    if parsed is _NO_JSON:
        raise SaynaValidationError("Google credentials file does not contain valid JSON")
    return _object(parsed, "Google credentials file must contain a JSON object")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NO_JSON


def _object(parsed: object, otherwise: str) -> dict[str, Any]:
    __tracebackhide__ = True
    if not isinstance(parsed, dict):
        raise SaynaValidationError(f"{otherwise}, got {type(parsed).__name__}")
    return cast("dict[str, Any]", parsed)


def _why(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else "it is no text in UTF-8"

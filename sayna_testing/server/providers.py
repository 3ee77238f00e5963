"""Speech providers and whose credentials a request uses (rest.md 8.1, 8.4; websocket.md 4.2.3)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.tts_error import SpeakError

Provider = Literal["deepgram", "elevenlabs", "google", "azure", "cartesia"]

_NAMES: Mapping[str, Provider] = {
    "deepgram": "deepgram",
    "elevenlabs": "elevenlabs",
    "google": "google",
    "azure": "azure",
    "microsoft-azure": "azure",
    "cartesia": "cartesia",
}
_AUTH_FIELDS: Mapping[Provider, tuple[str, ...]] = {
    "deepgram": ("api_key",),
    "elevenlabs": ("api_key",),
    "google": ("credentials",),
    "azure": ("api_key", "region"),
    "cartesia": ("api_key",),
}
_MISSING: Mapping[Provider, str] = {
    "deepgram": "Deepgram API key",
    "elevenlabs": "ElevenLabs API key",
    "azure": "Azure Speech subscription key",
    "cartesia": "Cartesia API key",
}


class ProviderAuthError(ValueError):
    """A provider that cannot be used, in the server's words; `missing`: it has no key itself."""

    def __init__(self, text: str, *, missing: bool = False) -> None:
        super().__init__(text)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a provider is called with; `own` when the request brought them."""

    provider: Provider
    own: bool
    values: Mapping[str, Any] = field(repr=False)


def server_key(settings: ServerSettings, provider: Provider) -> str | None:
    """The server's own credential of a provider, None when it is not configured."""
    return {
        "deepgram": settings.deepgram_api_key,
        "elevenlabs": settings.elevenlabs_api_key,
        "cartesia": settings.cartesia_api_key,
        "azure": settings.azure_speech_subscription_key,
        "google": settings.google_application_credentials,
    }[provider]


def resolve(settings: ServerSettings, name: str, auth: Mapping[str, Any] | None) -> Credentials:
    """Find a provider and its credentials; raises ProviderAuthError."""
    provider = _NAMES.get(name.lower())
    if provider is None:
        raise ProviderAuthError(f"Unsupported provider: {name.lower()}")
    if auth:
        _check_auth(provider, auth)
        return Credentials(provider, own=True, values=auth)
    key = server_key(settings, provider)
    if key is None and provider in _MISSING:
        raise ProviderAuthError(
            f"Missing server auth for provider {provider}:"
            f" {_MISSING[provider]} not configured in server environment",
            missing=True,
        )
    values = {} if key is None else {_AUTH_FIELDS[provider][0]: key}
    return Credentials(provider, own=False, values=values)


def has_credentials(settings: ServerSettings, name: str) -> bool:
    """Whether the server has credentials of its own for the provider of this name."""
    return server_key(settings, _NAMES[name]) is not None


def check_credentials(credentials: Credentials) -> None:
    """Refuse what a provider cannot be built with; raises SpeakError (rest.md 8.4 row 7)."""
    if credentials.provider == "google":
        _check_google(credentials)
    if credentials.provider == "elevenlabs" and not credentials.values["api_key"]:
        raise SpeakError("Invalid configuration: API key is required for ElevenLabs", "create")


def _check_google(credentials: Credentials) -> None:
    """The server's own file is taken as good; a path in a request names no file the fake knows."""
    found: object = credentials.values.get("credentials")
    if found and not credentials.own:
        return
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as error:
            text = f"Invalid configuration: Credential file not found: {found}"
            raise SpeakError(text, "create") from error
    project = cast("dict[str, Any]", found).get("project_id") if isinstance(found, dict) else None
    if not isinstance(project, str) or not project:
        raise SpeakError(
            "Invalid configuration: Failed to extract project_id from Google Cloud credentials."
            " Ensure the credentials file contains a valid project_id field.",
            "create",
        )


def _check_auth(provider: Provider, auth: Mapping[str, Any]) -> None:
    fields = _AUTH_FIELDS[provider]
    refused = f"Invalid auth input for provider {provider}: "
    if unknown := sorted(set(auth) - set(fields), key=str.encode):
        raise ProviderAuthError(
            f"{refused}Unsupported auth field(s) for provider {provider}: {', '.join(unknown)}"
        )
    kinds = (str, dict) if provider == "google" else (str,)
    wording = "a string or JSON object" if provider == "google" else "a string"
    for name in fields:
        value = cast("object", auth.get(name, ""))
        if not isinstance(value, kinds):
            raise ProviderAuthError(
                f"{refused}Auth field '{name}' must be {wording} for provider {provider}"
            )
        if value == "":
            raise ProviderAuthError(
                f"{refused}Auth field '{name}' is required for provider {provider}"
            )

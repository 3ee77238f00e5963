"""Why a config starts no pipeline, before anything is connected (websocket.md 4.2.3, 4.2.6)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sayna_testing.server.providers import (
    Credentials,
    Provider,
    ProviderAuthError,
    check_credentials,
    resolve,
)
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.tts_error import SpeakError

_LINK_FAILED = "Failed to start voice manager: STT error: Connection failed: "
CARTESIA_RATES = (8000, 16000, 22050, 24000, 44100, 48000)

_NO_PROJECT = (
    "Configuration error: Google Cloud project_id is required. Provide it either:\n"
    "1. In the model field as 'project_id:model_name'\n"
    "2. In the service account credentials JSON (project_id field)"
)


class Refused(Exception):  # noqa: N818 - it is an answer, not an error
    """A config that is answered with this `error`."""


@dataclass(frozen=True, slots=True)
class Providers:
    """Who recognises and who speaks, and with whose credentials."""

    stt: Credentials
    tts: Credentials


def check_present(fields: Mapping[str, Any]) -> str | None:
    """Say which provider block a session with audio lacks (F1, F2)."""
    if not fields["audio"]:
        return None
    if fields["stt_config"] is None:
        return "STT configuration is required when audio=true"
    if fields["tts_config"] is None:
        return "TTS configuration is required when audio=true"
    return None


def choose_providers(settings: ServerSettings, fields: Mapping[str, Any]) -> Providers:
    """Find both providers and build them, speech first; raises Refused (F3, F4, F5)."""
    stt, tts = fields["stt_config"], fields["tts_config"]
    try:
        hearing = resolve(settings, stt["provider"], stt["auth"])
        speaking = resolve(settings, tts["provider"], tts["auth"])
    except ProviderAuthError as error:
        raise Refused(str(error)) from None
    try:
        check_credentials(speaking)
    except SpeakError as error:
        raise Refused(f"Failed to create voice manager: TTS error: {error}") from None
    if hearing.provider == "google" and not _has_project(hearing, stt["model"]):
        raise Refused(f"Failed to create voice manager: STT error: {_NO_PROJECT}")
    if hearing.provider == "cartesia":
        _check_cartesia(stt)
    return Providers(hearing, speaking)


_REFUSED_LINKS: Mapping[Provider, str] = {
    "deepgram": "Connection channel closed",
    "cartesia": "Connection channel closed",
    "elevenlabs": "Connection channel closed before session started",
    "azure": "Connection channel closed before confirmation",
    "google": "Connection channel closed unexpectedly",
}


@dataclass(frozen=True, slots=True)
class Unanswered:
    """How long Sayna waits for a provider's link, in seconds, and what it says then."""

    after: float
    text: str


UNANSWERED_LINKS: Mapping[Provider, Unanswered] = {
    "deepgram": Unanswered(10.0, "Connection timeout"),
    "cartesia": Unanswered(10.0, "Connection timeout"),
    "elevenlabs": Unanswered(10.0, "Connection timeout waiting for session_started"),
    "azure": Unanswered(30.0, "Connection timeout waiting for Azure"),
    "google": Unanswered(30.0, "Connection timeout (30s)"),
}


def link_refused(provider: Provider) -> Refused:
    """What is said when a recogniser refuses the link, whatever its reason (F5)."""
    return Refused(f"{_LINK_FAILED}{_REFUSED_LINKS[provider]}")


def link_unanswered(provider: Provider) -> Refused:
    """What is said when a recogniser did not answer in time (F5)."""
    return Refused(f"{_LINK_FAILED}{UNANSWERED_LINKS[provider].text}")


def _has_project(credentials: Credentials, model: str) -> bool:
    """Whether the model or the credentials name a project; the server's own file does."""
    project, colon, _ = model.partition(":")
    if project and colon:
        return True
    found: object = credentials.values.get("credentials")
    if not credentials.own:
        return bool(found)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return False
    pairs = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return bool(pairs.get("project_id"))


def _check_cartesia(stt: Mapping[str, Any]) -> None:
    begin = "Failed to start voice manager: STT error: Configuration error: "
    if stt["sample_rate"] not in CARTESIA_RATES:
        supported = ", ".join(map(str, CARTESIA_RATES))
        raise Refused(
            f"{begin}Unsupported sample rate: {stt['sample_rate']}. Supported rates: [{supported}]"
        )
    if not stt["language"]:
        raise Refused(f"{begin}Language code is required")

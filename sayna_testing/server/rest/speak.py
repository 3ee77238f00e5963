"""Speech and voices (rest.md 7, 8)."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from sayna_testing.server.media import MediaExtraError
from sayna_testing.server.providers import (
    Provider,
    ProviderAuthError,
    check_credentials,
    has_credentials,
    resolve,
)
from sayna_testing.server.rest.bodies import read_json_body
from sayna_testing.server.rest.context import Context
from sayna_testing.server.rest.messages import (
    Response,
    body_response,
    json_response,
    plain,
    prose,
)
from sayna_testing.server.rest.structs import SPEAK
from sayna_testing.server.text import is_blank, trim
from sayna_testing.server.tts import DEFAULT_RATE, replaced, respelled, speech
from sayna_testing.server.tts_error import SpeakError

_CONTENT_TYPES = {
    "linear16": "audio/pcm",
    "pcm": "audio/pcm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mpeg": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mulaw": "audio/basic",
}
_STAGES = {
    "create": "Failed to create TTS provider",
    "connect": "Failed to connect to TTS provider",
    "register": "Failed to register audio callback",
    "synthesize": "Failed to synthesize speech",
    "produce": "TTS synthesis error",
}
_NOTHING = {"audio_format": "linear16", "sample_rate": DEFAULT_RATE}
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLAMED = re.compile(
    r"Invalid configuration: .*"
    r"|(?:Connection failed|Network error|Provider error): .*(?:authentication|authorization"
    r"|credential|permission denied|unauthorized|forbidden|api error \(40[13])",
    re.IGNORECASE | re.DOTALL,
)


async def list_voices(context: Context) -> Response:
    """GET `/voices`: the catalogue of every provider that has credentials."""
    state = context.state
    return json_response(
        {
            provider: voices
            for provider, voices in state.voices.items()
            if has_credentials(state.settings, provider)
        }
    )


async def speak(context: Context) -> Response:
    """POST `/speak`: the whole audio at once, or what went wrong (8.4)."""
    asked = read_json_body(context, SPEAK)
    if is_blank(asked["text"]):
        return prose(400, "Text cannot be empty")
    state, config = context.state, asked["tts_config"]
    try:
        credentials = resolve(state.settings, config["provider"], config["auth"])
    except ProviderAuthError as error:
        return prose(500 if error.missing else 400, str(error))
    google = credentials.provider == "google"
    try:
        check_credentials(credentials)
        async with nullcontext() if google else state.provider_places(credentials.provider):
            await asyncio.sleep(state.settings.tts_latency)
        if state.tts_failures:
            raise state.tts_failures.popleft()
        audio = _spoken(credentials.provider, asked["text"], config, state.settings.wpm)
    except SpeakError as error:
        return _failed(error, google=google, own_credentials=credentials.own)
    except MediaExtraError as error:
        return prose(500, str(error))
    return _answered(audio, config) if audio else _answered(b"", _NOTHING)


def _spoken(provider: Provider, text: str, config: Mapping[str, Any], wpm: float) -> bytes:
    """Apply the pronunciations twice, as the server does, and speak what is left (8.3, 8.6)."""
    text = trim(replaced(text, config["pronunciations"]))
    if provider != "elevenlabs":
        text = respelled(text, config["pronunciations"])
    if is_blank(text):
        return b""
    return speech(
        provider,
        text,
        audio_format=config["audio_format"],
        sample_rate=config["sample_rate"],
        speaking_rate=config["speaking_rate"],
        wpm=wpm,
    )


def _answered(audio: bytes, config: Mapping[str, Any]) -> Response:
    audio_format, sample_rate = config["audio_format"], config["sample_rate"]
    if _NOT_IN_A_HEADER.search(audio_format):
        return plain(500, "failed to parse header value")
    return body_response(
        200,
        _CONTENT_TYPES.get(audio_format, "application/octet-stream"),
        audio,
        ("x-audio-format", audio_format),
        ("x-sample-rate", str(sample_rate)),
    )


def _failed(error: SpeakError, *, google: bool, own_credentials: bool) -> Response:
    """400 when the caller's own credentials may be to blame, except for the callback (8.4)."""
    stage = error.stage or ("synthesize" if google else "produce")
    blamed = own_credentials and stage != "register" and _BLAMED.match(str(error))
    return prose(400 if blamed else 500, f"{_STAGES[stage]}: {error}")

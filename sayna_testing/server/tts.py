"""What speech providers make of a text, whatever was asked for (rest.md 8.3, websocket.md 6.2)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sayna_testing.server.media import Compressed, compress
from sayna_testing.server.providers import Provider
from sayna_testing.server.tts_error import SpeakError
from sayna_testing.speech import synthesize

Container = Literal["linear16", "wav", "mulaw", "alaw"] | Compressed

DEFAULT_RATE = 24000
LOWEST_RATE, HIGHEST_RATE = 8000, 48000
LONGEST_TEXT = 100_000
"""Characters beyond which the fake's providers refuse a text."""

_SLOWEST, _FASTEST = 0.25, 4.0
_PLAIN_PACE = ("deepgram", "cartesia")


@dataclass(frozen=True, slots=True)
class Form:
    """The bytes a provider really delivers."""

    container: Container
    sample_rate: int


def delivered(provider: Provider, audio_format: str, sample_rate: int) -> Form:
    """The form of a provider's audio for a format and rate as they were asked for."""
    return _DELIVERED[provider](audio_format, sample_rate)


def speech(
    provider: Provider,
    text: str,
    *,
    audio_format: str = "linear16",
    sample_rate: int = DEFAULT_RATE,
    speaking_rate: float = 1.0,
    wpm: float = 160.0,
) -> bytes:
    """Speak a text as a provider would; raises SpeakError, or MediaExtraError without soundfile."""
    form = delivered(provider, audio_format, sample_rate)
    if not LOWEST_RATE <= form.sample_rate <= HIGHEST_RATE:
        raise _refused(provider, "400 Bad Request", f"sample rate {form.sample_rate}")
    if len(text) > LONGEST_TEXT:
        raise _refused(provider, "413 Payload Too Large", f"text of {len(text)} characters")
    if provider not in _PLAIN_PACE:
        wpm *= min(max(speaking_rate, _SLOWEST), _FASTEST)
    match form.container:
        case "linear16" | "wav" | "mulaw" | "alaw" as encoding:
            return synthesize(text, form.sample_rate, encoding, wpm)
        case kind:
            return compress(kind, form.sample_rate, lambda rate: synthesize(text, rate, wpm=wpm))


def respelled(text: str, pronunciations: Iterable[Mapping[str, str]]) -> str:
    """Replace whole words, case-sensitively and in order of the list."""
    for entry in pronunciations:
        spelling = entry["pronunciation"].replace("\\", r"\\")
        text = _kept_short(re.sub(rf"\b{re.escape(entry['word'])}\b", spelling, text))
    return text


def replaced(text: str, pronunciations: Iterable[Mapping[str, str]]) -> str:
    """Replace wherever the word stands, in order of the list (REST only, rest.md 8.3)."""
    for entry in pronunciations:
        text = _kept_short(text.replace(entry["word"], entry["pronunciation"]))
    return text


def _kept_short(text: str) -> str:
    """An empty word would grow a text without bound; one character too long is refused as well."""
    return text[: LONGEST_TEXT + 1]


def _refused(provider: Provider, status: str, what: str) -> SpeakError:
    api = "Google TTS API error" if provider == "google" else "API error"
    return SpeakError(f'Provider error: {api} ({status}): {{"error":"{what} is not supported"}}')


def _deepgram(audio_format: str, rate: int) -> Form:
    """Case-sensitive; what it does not know is passed on, here as PCM."""
    return Form(_DEEPGRAM.get(audio_format, "linear16"), rate)


def _elevenlabs(audio_format: str, rate: int) -> Form:
    """Case-sensitive; PCM for everything but mp3 and ulaw."""
    match audio_format:
        case "mp3":
            return Form("mp3", 22050 if rate == 22050 else 44100)
        case "ulaw":
            return Form("mulaw", 8000)
        case "linear16" | "pcm" if rate not in (16000, 22050, 24000, 44100):
            return Form("linear16", DEFAULT_RATE)
        case _:
            return Form("linear16", rate)


def _google(audio_format: str, rate: int) -> Form:
    """Loses the WAV header of what it knows as PCM, keeps it for names it does not know."""
    return Form(_GOOGLE.get(audio_format.lower(), "wav"), rate)


def _azure(audio_format: str, rate: int) -> Form:
    """Snaps the rate up to one it has."""
    container, rates = _AZURE.get(audio_format.lower(), ("linear16", (DEFAULT_RATE,)))
    return Form(container, next((known for known in rates if known >= rate), rates[-1]))


def _cartesia(audio_format: str, rate: int) -> Form:
    """Raw 24 kHz PCM for names it does not know."""
    container = _CARTESIA.get(audio_format.lower())
    return Form("linear16", DEFAULT_RATE) if container is None else Form(container, rate)


_TELEPHONE: Mapping[str, Container] = {"mulaw": "mulaw", "ulaw": "mulaw", "alaw": "alaw"}
_PCM: Mapping[str, Container] = {"linear16": "linear16", "pcm": "linear16"}
_OPUS: Mapping[str, Container] = {"opus": "opus", "ogg": "opus"}
_DEEPGRAM: Mapping[str, Container] = {
    **_PCM,
    **_TELEPHONE,
    **_OPUS,
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
}
_GOOGLE: Mapping[str, Container] = {
    **_PCM,
    **_TELEPHONE,
    **_OPUS,
    "wav": "linear16",
    "mp3": "mp3",
    "ogg_opus": "opus",
    "ogg-opus": "opus",
}
_CARTESIA: Mapping[str, Container] = {**_PCM, **_TELEPHONE, "wav": "wav", "mp3": "mp3"}
_AZURE_PCM = (8000, 16000, 22050, 24000, 44100, 48000)
_AZURE: Mapping[str, tuple[Container, tuple[int, ...]]] = {
    "linear16": ("linear16", _AZURE_PCM),
    "pcm": ("linear16", _AZURE_PCM),
    "wav": ("linear16", _AZURE_PCM),
    "mulaw": ("mulaw", (8000,)),
    "ulaw": ("mulaw", (8000,)),
    "alaw": ("alaw", (8000,)),
    "mp3": ("mp3", (16000, 24000, 48000)),
    "opus": ("opus", (16000, 24000)),
}
_DELIVERED: Mapping[Provider, Callable[[str, int], Form]] = {
    "deepgram": _deepgram,
    "elevenlabs": _elevenlabs,
    "google": _google,
    "azure": _azure,
    "cartesia": _cartesia,
}

"""The voices `GET /voices` offers until a test replaces them; all invented (rest.md 7)."""

from collections.abc import Mapping
from typing import TypedDict


class Voice(TypedDict):
    """One voice: exactly these six keys, all of them strings."""

    id: str
    sample: str
    name: str
    accent: str
    gender: str
    language: str


_PROVIDERS = ("elevenlabs", "deepgram", "google", "azure")


def check_voices(voices: Mapping[str, list[Voice]]) -> Mapping[str, list[Voice]]:
    """Return the voices; raises ValueError for a key or a voice the real server never has."""
    for provider, listed in voices.items():
        if provider not in _PROVIDERS:
            raise ValueError(f"voices are listed for {', '.join(_PROVIDERS)}; got {provider!r}")
        for voice in listed:
            if voice.keys() != Voice.__annotations__.keys() or not all(
                isinstance(value, str) for value in voice.values()
            ):
                keys = ", ".join(Voice.__annotations__)
                raise ValueError(f"a voice has the keys {keys}, all of them strings; got {voice!r}")
    return voices


def _voice(id: str, sample: str, name: str, accent: str, gender: str, language: str) -> Voice:
    return {
        "id": id,
        "sample": sample,
        "name": name,
        "accent": accent,
        "gender": gender,
        "language": language,
    }


CATALOGUE: Mapping[str, list[Voice]] = {
    "elevenlabs": [
        _voice(
            "kZ3qPw9XbLm2", "https://cdn.voices.test/marlow.mp3", "Marlow", "british", "Male", "en"
        ),
        _voice(
            "Tn7cRd4YhGv8", "https://cdn.voices.test/ines.mp3", "Ines", "american", "Unknown", "en"
        ),
        _voice("Jf5sWe1KuBo6", "", "Aurel", "Unknown", "Unknown", "Unknown"),
    ],
    "deepgram": [
        _voice(
            "aura-asteria-en",
            "https://cdn.voices.test/asteria.wav",
            "asteria",
            "American",
            "Female",
            "English",
        ),
        _voice(
            "aura-2-thalia-en",
            "https://cdn.voices.test/thalia.wav",
            "thalia",
            "American",
            "Female",
            "English",
        ),
        _voice(
            "aura-2-draco-en",
            "https://cdn.voices.test/draco.wav",
            "draco",
            "British",
            "Male",
            "English",
        ),
        _voice("aura-2-celeste-es", "", "celeste", "Colombian", "Female", "es-CO"),
    ],
    "google": [
        _voice("en-GB-Neural2-C", "", "Neural2 C", "British", "Female", "English"),
        _voice("en-US-Standard-B", "", "Standard B", "American", "Male", "English"),
        _voice("fr-FR-Wavenet-A", "", "Wavenet A", "French", "Female", "French"),
    ],
    "azure": [
        _voice("en-GB-SoniaNeural", "", "Sonia", "British", "Female", "English"),
        _voice("en-US-GuyNeural", "", "Guy", "American", "Male", "English"),
        _voice("de-DE-KatjaNeural", "", "Katja", "German", "Female", "German"),
    ],
}

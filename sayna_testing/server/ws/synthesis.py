"""How a text becomes chunks of audio: key, spelling, bytes, cuts (websocket.md 6.2)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sayna_testing.server.providers import Credentials
from sayna_testing.server.rust_text import f32
from sayna_testing.server.tts import delivered, respelled, speech

_PCM = frozenset({"linear16", "pcm"})
_TELEPHONE = frozenset({"mulaw", "ulaw", "alaw"})
_RESOLVED_KEY = frozenset({"azure", "cartesia"})
_HTTP_CHUNK = 8192


def cache_key(text: str, config: Mapping[str, Any], credentials: Credentials) -> tuple[Any, ...]:
    """What makes two texts the same clip; `text` is trimmed, pronunciations do not count."""
    provider = credentials.provider
    form: tuple[Any, ...] = (config["audio_format"], config["sample_rate"])
    if provider in _RESOLVED_KEY:
        found = delivered(provider, config["audio_format"], config["sample_rate"])
        form = (found.container, found.sample_rate)
    extra: object = None
    if provider == "azure":
        extra = credentials.values.get("region")
    if provider == "elevenlabs":
        extra = credentials.values.get("api_key")
    rate = f"{f32(config['speaking_rate']):.3f}"
    return provider, config["voice_id"], config["model"], *form, rate, extra, text


def synthesise(
    text: str, config: Mapping[str, Any], credentials: Credentials, *, wpm: float
) -> bytes:
    """Speak a trimmed text; raises SpeakError, or MediaExtraError without soundfile."""
    provider = credentials.provider
    if provider != "elevenlabs":
        text = respelled(text, config["pronunciations"])
    return speech(
        provider,
        text,
        audio_format=config["audio_format"],
        sample_rate=config["sample_rate"],
        speaking_rate=config["speaking_rate"],
        wpm=wpm,
    )


def cut(audio: bytes, config: Mapping[str, Any], *, google: bool) -> Iterator[bytes]:
    """Cut a clip the way it is handed out: 10 ms each and the rest, or as it arrives."""
    size = _frame_size(config, google=google)
    if size is None:
        size = 0 if google else _HTTP_CHUNK
    size = size or len(audio) or 1
    return (audio[at : at + size] for at in range(0, len(audio), size))


def broken_off(audio: bytes, config: Mapping[str, Any], *, google: bool) -> bytes:
    """What is handed out of audio behind which nothing more came: no unfinished frame (6.4)."""
    if google:
        return b""  # its clip comes at once or not at all
    size = _frame_size(config, google=google)
    return audio[: len(audio) // size * size] if size else audio


def _frame_size(config: Mapping[str, Any], *, google: bool) -> int | None:
    """Bytes of 10 ms, None for formats that are not cut."""
    name: str = config["audio_format"]
    name = name.lower() if google else name
    samples: int = config["sample_rate"] // 100
    if name in _PCM or (google and name == "wav"):
        return samples * 2
    return samples if name in _TELEPHONE else None

"""Compressed audio through soundfile, which the extra `media` brings."""

import importlib
import io
from collections.abc import Callable, Mapping
from typing import Any, Literal

Compressed = Literal["mp3", "opus", "flac"]

_SOUNDFILE: Mapping[Compressed, tuple[str, str]] = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
    "flac": ("FLAC", "PCM_16"),
}
_RATES: Mapping[Compressed, tuple[int, ...]] = {
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "opus": (8000, 12000, 16000, 24000, 48000),
}


class MediaExtraError(Exception):
    """Compressed audio was asked for and soundfile is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "compressed audio needs soundfile: pip install 'sayna-client[testing,media]'"
        )


def compress(kind: Compressed, sample_rate: int, source: Callable[[int], bytes]) -> bytes:
    """Return a file of `source(rate)`, 16-bit mono PCM, at the next rate the codec has.

    Raises MediaExtraError without soundfile.
    """
    try:
        soundfile: Any = importlib.import_module("soundfile")
    except ImportError as error:
        raise MediaExtraError from error
    rates = _RATES.get(kind, (sample_rate,))
    rate = next((known for known in rates if known >= sample_rate), rates[-1])
    container, codec = _SOUNDFILE[kind]
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, codec, format=container) as writer:
        writer.buffer_write(source(rate), dtype="int16")
    return file.getvalue()

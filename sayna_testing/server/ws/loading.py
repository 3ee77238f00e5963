"""The clip of the loading indicator and its checks (websocket.md 10.1)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayna_testing.server.text import trim
from sayna_testing.server.ws.wav import WavError, read_wav

NOT_USABLE = "loading_audio requires audio to be enabled and a livekit configuration"

_MAX_DECODED = 1_924_096
_MAX_PCM = 1_920_000
_RATES = range(8000, 48001)
_SHORTEST, _LONGEST = 250, 10000
_FORMATS = {"wav": True, "pcm": False}


class ClipError(ValueError):
    """A clip that is refused; the text is the `error` the client gets."""


@dataclass(frozen=True, slots=True)
class Clip:
    """16-bit little-endian PCM that loops while the client is busy; `volume` is 0 to 1."""

    pcm: bytes
    sample_rate: int
    channels: int
    volume: float

    def mono(self) -> bytes:
        """What is heard of it: one channel, at its volume."""
        from sayna_testing.server.mixing import scaled  # loads numpy

        return scaled(self.pcm, self.channels, self.volume)


def decode_clip(block: Mapping[str, Any]) -> Clip:
    """Decode `loading_audio`; raises ClipError at the first check that fails."""
    data = _decoded(block["data"])
    pcm, sample_rate, channels = _wav(data) if _is_wav(block, data) else _pcm(block, data)
    if channels not in (1, 2):
        raise ClipError("loading_audio supports mono or stereo only")
    if sample_rate not in _RATES:
        raise ClipError("loading_audio sample rate must be between 8000 Hz and 48000 Hz")
    duration = len(pcm) // (2 * channels) * 1000 // sample_rate
    if duration < _SHORTEST:
        raise ClipError(f"loading_audio is too short; the minimum duration is {_SHORTEST} ms")
    if duration > _LONGEST:
        raise ClipError(f"loading_audio is too long; the maximum duration is {_LONGEST} ms")
    volume = 1.0 if block["volume"] is None else min(max(block["volume"], 0.0), 1.0)
    return Clip(pcm, sample_rate, channels, volume)


def _decoded(text: str) -> bytes:
    size = len(text.encode()) // 4 * 3
    if size > _MAX_DECODED:
        raise ClipError(
            "loading_audio.data decoded audio would exceed the maximum size of"
            f" {_MAX_DECODED} bytes"
        )
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise ClipError("loading_audio.data is not valid base64")
    return data


def _is_wav(block: Mapping[str, Any], data: bytes) -> bool:
    if block["format"] is None:
        return data[:4] == b"RIFF" and data[8:12] == b"WAVE"
    known = _FORMATS.get(trim(block["format"]).lower())
    if known is None:
        raise ClipError('loading_audio.format must be "wav" or "pcm"')
    return known


def _wav(data: bytes) -> tuple[bytes, int, int]:
    try:
        wav = read_wav(data)
    except WavError as error:
        raise ClipError(f"loading_audio is not a valid WAV file: {error}") from None
    if wav.bits != 16 or wav.is_float:
        raise ClipError(
            "loading_audio: only 16-bit PCM is supported; please provide 16-bit PCM audio"
        )
    if wav.declared > _MAX_PCM:
        raise ClipError(
            f"loading_audio.data decoded audio exceeds the maximum size of {_MAX_PCM} bytes"
        )
    if len(wav.data) < wav.declared:
        raise ClipError(
            "loading_audio could not be read as 16-bit PCM: Failed to read enough bytes."
        )
    return wav.data, wav.sample_rate, wav.channels


def _pcm(block: Mapping[str, Any], data: bytes) -> tuple[bytes, int, int]:
    sample_rate: int | None = block["sample_rate"]
    channels: int = 1 if block["channels"] is None else block["channels"]
    if sample_rate is None:
        raise ClipError("sample_rate is required for raw PCM loading_audio")
    whole = len(data) % (2 * channels) == 0 if channels else not data
    if not whole:
        raise ClipError("loading_audio raw PCM length is not frame-aligned")
    return data, sample_rate, channels

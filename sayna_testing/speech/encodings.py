"""Audio bytes to samples and back: linear16 (little-endian), WAV, and G.711 by table."""

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sayna_testing.speech.formats import Format

Samples = NDArray[np.float32]  # 1.0 is full scale


def encode(samples: NDArray[np.float64], form: Format) -> bytes:
    """Samples as bytes; what is beyond full scale is clipped."""
    scaled = samples * 32767.0
    np.rint(scaled, out=scaled)
    pcm = np.clip(scaled, -32768, 32767, out=scaled).astype("<i2")
    if form.encoding == "mulaw":
        return _mulaw_encoder()[pcm.view(np.uint16)].tobytes()
    if form.encoding == "alaw":
        return _alaw_encoder()[pcm.view(np.uint16)].tobytes()
    data = pcm.tobytes()
    return wav_header(len(data), form.sample_rate) + data if form.encoding == "wav" else data


def decode(data: bytes, encoding: str) -> Samples:
    """Bytes of linear16 (an even number), mulaw or alaw as samples."""
    if encoding == "linear16":
        return np.frombuffer(data, "<i2").astype(np.float32) * np.float32(1 / 32768)
    return _DECODERS[encoding]()[np.frombuffer(data, np.uint8)]


def wav_header(size: int, sample_rate: int) -> bytes:
    """The 44 bytes before `size` bytes of 16-bit mono PCM."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1),
        *(sample_rate, 2 * sample_rate, 2, 16, b"data", size),
    )


def _magnitudes() -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    value = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    return value, value < 0


@cache
def _mulaw_encoder() -> NDArray[np.uint8]:
    value, negative = _magnitudes()
    biased = np.minimum((np.where(negative, ~value, value) >> 2) + 33, 8191)
    exponent = np.log2(biased).astype(np.int64) - 5
    code = (negative << 7) | (exponent << 4) | ((biased >> (exponent + 1)) & 15)
    codes: NDArray[np.uint8] = (~code & 255).astype(np.uint8)
    return codes


@cache
def _alaw_encoder() -> NDArray[np.uint8]:
    value, negative = _magnitudes()
    size = np.where(negative, ~value, value) >> 4
    exponent = np.maximum(np.log2(np.maximum(size, 1)).astype(np.int64) - 3, 0)
    mantissa = np.where(exponent > 0, (size >> np.maximum(exponent - 1, 0)) - 16, size)
    sign = np.where(negative, 0, 128)
    codes: NDArray[np.uint8] = ((sign | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)
    return codes


@cache
def _mulaw_decoder() -> Samples:
    code = ~np.arange(256) & 255
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return (np.where(code & 128, -size, size) / 32768).astype(np.float32)


@cache
def _alaw_decoder() -> Samples:
    code = np.arange(256) ^ 0x55
    exponent = (code >> 4) & 7
    step = ((code & 15) << 4) + 8
    size = np.where(exponent > 0, (step + 256) << np.maximum(exponent - 1, 0), step)
    return (np.where(code & 128, size, -size) / 32768).astype(np.float32)


_DECODERS = {"mulaw": _mulaw_decoder, "alaw": _alaw_decoder}

"""WAV files read as strictly as the server's library reads them (websocket.md 10.1, row 5w)."""

from dataclasses import dataclass
from struct import Struct

_RIFF, _CHUNK, _FMT = Struct("<4sI4s"), Struct("<4sI"), Struct("<HHIIHH")
_FLOAT, _EXTENSIBLE = 3, 0xFFFE
_FMT_SIZES = {1: (16, 18, 40), _FLOAT: (16, 18), _EXTENSIBLE: (40,)}
_SHORT = "Failed to read enough bytes."


class WavError(ValueError):
    """What the library says."""


@dataclass(frozen=True, slots=True)
class Wav:
    """The samples that are there, and how many bytes of them were declared."""

    channels: int
    sample_rate: int
    bits: int
    is_float: bool
    declared: int
    data: bytes


def read_wav(data: bytes) -> Wav:
    """Read up to the samples; raises WavError."""
    if len(data) < 4:
        raise WavError(_SHORT)
    if data[:4] != b"RIFF":
        raise _ill_formed("no RIFF tag found")
    if len(data) < _RIFF.size:
        raise WavError(_SHORT)
    if data[8:12] != b"WAVE":
        raise _ill_formed("no WAVE tag found")
    return _chunks(data)


def _chunks(data: bytes) -> Wav:
    at = _RIFF.size
    form: tuple[int, int, int, bool, int] | None = None
    while True:
        if len(data) < at + _CHUNK.size:
            raise WavError(_SHORT)
        tag, size = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if tag == b"data":
            return _samples(data[at : at + size], size, form)
        if len(data) < at + size:
            raise WavError(_SHORT)
        if tag == b"fmt ":
            form = _format(data[at : at + size])
        at += size


def _format(chunk: bytes) -> tuple[int, int, int, bool, int]:
    """Channels, rate, bits, whether of floats, and bytes a sample."""
    if len(chunk) < _FMT.size:
        raise _ill_formed("invalid fmt chunk size")
    tag, channels, rate, byte_rate, block, bits = _FMT.unpack_from(chunk)
    width = block // channels if channels else 0
    checks = (
        (channels, "file contains zero channels"),
        (bits <= 8 * width, "sample bits exceeds size of sample"),
        (byte_rate == block * rate, "inconsistent fmt chunk"),
        (bits % 8 == 0, "bits per sample is not a multiple of 8"),
        (bits, "bits per sample is 0"),
    )
    for holds, reason in checks:
        if not holds:
            raise _ill_formed(reason)
    if tag not in _FMT_SIZES:
        raise WavError("The wave format of the file is not supported.")
    if len(chunk) not in _FMT_SIZES[tag]:
        raise _ill_formed("unexpected fmt chunk size")
    return channels, rate, bits, tag == _FLOAT, width


def _samples(data: bytes, declared: int, form: tuple[int, int, int, bool, int] | None) -> Wav:
    if form is None:
        raise _ill_formed("missing fmt chunk")
    channels, rate, bits, is_float, width = form
    if declared % (width * channels):
        raise _ill_formed("invalid data chunk length")
    return Wav(channels, rate, bits, is_float, declared, data)


def _ill_formed(reason: str) -> WavError:
    return WavError(f"Ill-formed WAVE file: {reason}")

"""WAV headers, read from a stream: what the samples are and where they start."""

import struct

from sayna_testing.speech.formats import Format, audio_format

LONGEST = 1 << 16  # bytes of header before it is refused

_CODINGS = {(1, 16): "linear16", (6, 8): "alaw", (7, 8): "mulaw"}  # (format tag, bits a sample)
_EXTENSIBLE = 0xFFFE


class WavHeader:
    """Takes bytes until the samples start; raises ValueError on what is no mono WAV it can read."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._data = bytearray()

    def take(self, data: bytes) -> tuple[Format, bytes] | None:
        """Add bytes; once the header is whole, the format of the samples and the first of them."""
        self._data += data
        head = bytes(self._data[:12])
        if head[:4] != b"RIFF"[: len(head)] or head[8:] != b"WAVE"[: max(0, len(head) - 8)]:
            raise ValueError(f"wav: expected a RIFF/WAVE header, got {head!r}")
        form, at = None, 12
        while len(self._data) >= at + 8:
            name, size = struct.unpack_from("<4sI", self._data, at)
            if name == b"data":
                return self._checked(form), bytes(self._data[at + 8 :])
            if name == b"fmt " and len(self._data) >= at + 8 + size:
                form = _fmt(bytes(self._data[at + 8 : at + 8 + size]))
            at += 8 + size + size % 2
        if len(self._data) > LONGEST:
            raise ValueError(f"wav: expected samples within {LONGEST} bytes of header, found none")
        return None

    def _checked(self, form: Format | None) -> Format:
        if form is None:
            raise ValueError("wav: expected a fmt chunk before the data chunk, got none")
        if form.sample_rate != self._sample_rate:
            raise ValueError(
                f"wav: expected {self._sample_rate} Hz, the header says {form.sample_rate} Hz"
            )
        return form


def _fmt(chunk: bytes) -> Format:
    if len(chunk) < 16:
        raise ValueError(f"wav: expected a fmt chunk of at least 16 bytes, got {len(chunk)}")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if channels != 1 or (tag, bits) not in _CODINGS:
        raise ValueError(
            "wav: expected mono 16-bit PCM, mu-law or A-law, "
            f"got {channels} channels of {bits} bits in format {tag}"
        )
    return audio_format(rate, _CODINGS[tag, bits])

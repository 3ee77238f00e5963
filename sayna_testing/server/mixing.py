"""Sound on top of sound: the clips of a recording as one piece of audio."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Clip(Protocol):
    """16-bit little-endian mono PCM with a place in time, in seconds."""

    start: float
    pcm: bytes
    sample_rate: int


def mix(clips: Iterable[Clip], duration: float, sample_rate: int) -> bytes:
    """Return `duration` seconds of 16-bit little-endian mono PCM; what is too loud is clipped."""
    mixed = np.zeros(round(duration * sample_rate), np.float32)
    for clip in clips:
        sound = _resampled(clip, sample_rate)
        begin = round(clip.start * sample_rate)
        part = mixed[begin : begin + len(sound)]
        part += sound[: len(part)]
    return np.clip(mixed, -32768, 32767).astype("<i2").tobytes()


def scaled(pcm: bytes, channels: int, volume: float) -> bytes:
    """Return 16-bit little-endian PCM of so many channels as mono at a volume of 0 to 1."""
    frames: NDArray[np.int16] = np.frombuffer(pcm, "<i2").reshape(-1, channels)
    mono: NDArray[np.float64] = np.mean(frames, axis=1)
    return np.rint(mono * volume).astype("<i2").tobytes()


def looped(pcm: bytes, length: int, fade: int) -> bytes:
    """Repeat 16-bit little-endian mono PCM to `length` samples, the last `fade` ever softer."""
    sound = np.resize(np.frombuffer(pcm, "<i2"), length).astype(np.float32)
    if faded := min(fade, length):
        sound[-faded:] *= np.linspace(1, 0, fade, dtype=np.float32)[-faded:]
    return np.rint(sound).astype("<i2").tobytes()


def _resampled(clip: Clip, sample_rate: int) -> NDArray[np.float32]:
    """The samples of a clip at another rate, by straight lines between them."""
    samples = np.frombuffer(clip.pcm, "<i2").astype(np.float32)
    length = round(len(samples) * sample_rate / clip.sample_rate)
    places = np.arange(length, dtype=np.float64) * (clip.sample_rate / sample_rate)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)

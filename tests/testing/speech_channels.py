"""What may happen to speech on its way, and other sounds that are none: for tests and the table."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sayna_testing.speech.encodings import encode
from sayna_testing.speech.formats import Format

Samples = NDArray[np.float64]
Random = np.random.Generator

RATES = (8000, 16000, 22050, 24000, 44100, 48000)
TEXTS = (
    "A table for two at eight",
    "Hello! How can I help?",
    "no, wait",
    "Ihr Paket kommt um 17:45 Uhr, vielen Dank!",
    "Забронируйте столик на двоих",
    "您好，请问几位？",
    "Your parcel is two stops away. Is there anything else I can do for you today?",
    "Yes.",
)


def samples(pcm: bytes) -> Samples:
    """16-bit bytes as samples, 1.0 is full scale."""
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def encoded(wave: Samples, encoding: str) -> bytes:
    """Samples as bytes of linear16, mulaw or alaw."""
    return encode(wave, Format(8000, encoding))


def pcm(wave: Samples) -> bytes:
    """Samples as 16-bit bytes, clipped hard."""
    return np.clip(np.rint(wave * 32768), -32768, 32767).astype("<i2").tobytes()


def linear(wave: Samples, rate: int, to: int) -> Samples:
    """Resample the crude way: a straight line between neighbours."""
    count = len(wave) * to // rate
    return np.interp(np.arange(count) * rate / to, np.arange(len(wave)), wave)


def band_limited(wave: Samples, rate: int, to: int) -> Samples:
    """Resample the exact way: the same spectrum up to the lower of both limits."""
    count = len(wave) * to // rate
    spectrum = np.fft.rfft(wave)
    kept = np.zeros(count // 2 + 1, complex)
    common = min(len(spectrum), len(kept))
    kept[:common] = spectrum[:common]
    return np.fft.irfft(kept * (count / len(wave)), count)


def gain(wave: Samples, decibels: float) -> Samples:
    """Louder or softer; what is too loud is clipped when it becomes bytes."""
    return np.clip(wave * 10 ** (decibels / 20), -1, 1)


def with_noise(wave: Samples, snr: float, rng: Random) -> Samples:
    """Add white noise, `snr` decibels softer than the wave, scaled to stay within full scale."""
    noise = rng.standard_normal(len(wave)) * np.sqrt(np.mean(wave**2)) * 10 ** (-snr / 20)
    mixed: Samples = (wave + noise) * 0.4
    return mixed


def _loud(wave: Samples) -> Samples:
    """As loud as fits."""
    full: Samples = wave / np.abs(wave).max()
    return full


def _tone(frequency: Samples, rate: int) -> Samples:
    """One sine that follows a frequency (Hz) per sample."""
    wave: Samples = 0.5 * np.sin(2 * np.pi * np.cumsum(frequency) / rate)
    return wave


def _coloured(slope: float, low: float = 20, high: float = 24000) -> "Sound":
    def make(count: int, rate: int, rng: Random) -> Samples:
        spectrum = np.fft.rfft(rng.standard_normal(count))
        frequency = np.fft.rfftfreq(count, 1 / rate)
        frequency[0] = frequency[1]
        spectrum *= frequency ** (-slope / 2) * ((frequency >= low) & (frequency <= high))
        return _loud(np.fft.irfft(spectrum, count))

    return make


def _steps(seconds: float, pick: Callable[[Random, int], Samples]) -> "Sound":
    """A melody: frequencies picked for steps of some seconds."""

    def make(count: int, rate: int, rng: Random) -> Samples:
        length = int(seconds * rate)
        return _tone(np.repeat(pick(rng, count // length + 1), length)[:count], rate)

    return make


def _chords(most: int, seconds: float) -> "Sound":
    def make(count: int, rate: int, rng: Random) -> Samples:
        length = int(seconds * rate)
        time = np.arange(length) / rate
        parts = [
            np.sin(2 * np.pi * np.outer(rng.uniform(300, 3400, rng.integers(1, most)), time)).sum(0)
            for _ in range(count // length + 1)
        ]
        return np.concatenate(parts)[:count] / most

    return make


def _dtmf(count: int, rate: int, rng: Random) -> Samples:
    time = np.arange(rate // 20) / rate
    low, high = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    digits = [
        np.concatenate(
            [
                0.4 * np.sin(2 * np.pi * rng.choice(low) * time)
                + 0.4 * np.sin(2 * np.pi * rng.choice(high) * time),
                np.zeros(rate // 20),
            ]
        )
        for _ in range(count * 10 // rate + 1)
    ]
    return np.concatenate(digits)[:count]


def _sirens(count: int, rate: int, rng: Random) -> Samples:
    """Sweeps up and down, from slow sirens to the trills of birds."""
    length = rate // 4
    phase = np.arange(length) / length
    frequency = [
        rng.uniform(200, 3800)
        + rng.uniform(-2500, 2500) * (phase * rng.choice([1, 2, 5, 10, 30]) % 1)
        for _ in range(count // length + 1)
    ]
    return _tone(np.concatenate(frequency)[:count], rate)


def _music(count: int, rate: int, rng: Random) -> Samples:
    """Plucked strings with seven harmonics, some eight notes a second, that overlap."""
    wave = np.zeros(count)
    time = np.arange(rate // 2) / rate
    for start in rng.integers(0, max(1, count - len(time)), count * 8 // rate):
        root = 110 * 2 ** (rng.integers(0, 48) / 12)
        note = np.sum([np.sin(2 * np.pi * root * h * time) / h for h in range(1, 8)], axis=0)
        wave[start : start + len(time)] += note * np.exp(-6 * time)
    return _loud(wave)


def _voice(count: int, rate: int, rng: Random) -> Samples:
    """A hummed voice: harmonics of a gliding pitch under moving formants, with breath."""
    time = np.arange(count) / rate
    pitch = (
        2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * time + rng.uniform(0, 6))) / rate
    )
    formants = [500 + 300 * np.sin(5 * time), 1500 + 700 * np.sin(3.3 * time + 1)]
    wave = np.zeros(count)
    for harmonic in range(1, 28):
        level = np.sum([1 / (1 + ((harmonic * 120 - f) / 250) ** 2) for f in formants], axis=0)
        wave += level * np.sin(harmonic * pitch)
    wave *= np.abs(np.sin(2 * np.pi * 2.1 * time))
    return _loud(wave + 0.01 * rng.standard_normal(count))


def _knocks(count: int, rate: int, rng: Random) -> Samples:
    """Bursts of noise that die away: doors, drums, keyboards."""
    time = np.arange(rate // 8) / rate
    bursts = [
        rng.standard_normal(len(time)) * np.exp(-time * rng.uniform(20, 300))
        for _ in range(count // len(time) + 1)
    ]
    return np.concatenate(bursts)[:count] * 0.3


def _pulses(count: int, rate: int, rng: Random) -> Samples:
    """An engine: clicks at a rate that changes each second."""
    wave = np.zeros(count)
    for start in range(0, count, rate):
        wave[start : start + rate][:: int(rate / rng.choice([25, 50, 85, 170, 181.8, 340]))] = 0.9
    return wave


def _steady(frequencies: tuple[float, ...]) -> "Sound":
    def make(count: int, rate: int, rng: Random) -> Samples:
        time = np.arange(count) / rate
        return _loud(np.sin(2 * np.pi * np.outer(frequencies, time)).sum(0)) * 0.8

    return make


def _warble(count: int, rate: int, rng: Random) -> Samples:
    """Frequency modulation: bells, alarms, birds."""
    length = rate // 4
    time = np.arange(length) / rate
    parts = [
        rng.uniform(500, 3000)
        + rng.uniform(50, 1500) * np.cos(2 * np.pi * rng.uniform(2, 120) * time)
        for _ in range(count // length + 1)
    ]
    return _tone(np.concatenate(parts)[:count], rate)


Sound = Callable[[int, int, Random], Samples]
SOUNDS: dict[str, Sound] = {
    "silence": lambda count, rate, rng: np.zeros(count),
    "white noise": lambda count, rate, rng: 0.2 * rng.standard_normal(count),
    "pink noise": _coloured(1),
    "brown noise (wind, traffic)": _coloured(2),
    "blue noise (hiss)": _coloured(-1),
    "noise of the telephone band": _coloured(0, 300, 3400),
    "noise of a narrow band": _coloured(0, 700, 1600),
    "a dial tone": _steady((350, 440)),
    "a tone on the voice's grid": _steady((1010,)),
    "all tones of the voice at once": _steady(tuple(500 + 170 * n for n in range(17))),
    "chords": _chords(6, 0.5),
    "touch tones (DTMF)": _dtmf,
    "a melody of 100 ms notes": _steps(
        0.1, lambda rng, n: 220 * 2 ** (rng.integers(0, 48, n) / 12)
    ),
    "a melody of 20 ms notes": _steps(
        0.02, lambda rng, n: 220 * 2 ** (rng.integers(0, 48, n) / 12)
    ),
    "a 300 baud modem": _steps(1 / 300, lambda rng, n: rng.choice([1180.0, 980.0], n)),
    "sirens and trills": _sirens,
    "bells and alarms (FM)": _warble,
    "plucked strings": _music,
    "a hummed voice": _voice,
    "knocks": _knocks,
    "an engine": _pulses,
    "random bytes": lambda count, rate, rng: samples(rng.bytes(2 * count)),
}

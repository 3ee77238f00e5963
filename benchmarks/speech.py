"""Measure synthetic speech: words read through each channel, text read from other sounds, speed.

    .venv/bin/python -m benchmarks.speech [utterances]

Prints the tables of docs/speech.md. Everything is seeded: the same numbers each time, speed apart.
"""

import sys
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from statistics import median

import numpy as np

from sayna_testing.speech import recognize, synthesize
from tests.testing.speech_channels import (
    RATES,
    SOUNDS,
    TEXTS,
    Random,
    Samples,
    band_limited,
    gain,
    linear,
    pcm,
    samples,
    with_noise,
)

PACES = (80, 160, 320)
Way = Callable[[str, float, Random], str]  # text and pace to the text that is read


def plain(rate: int, encoding: str) -> Way:
    def way(text: str, wpm: float, rng: Random) -> str:
        audio = synthesize(text, rate, encoding, wpm)
        return recognize(audio, sample_rate=rate, encoding=encoding)

    return way


def through(rate: int, change: Callable[[Samples, Random], Samples]) -> Way:
    def way(text: str, wpm: float, rng: Random) -> str:
        wave = change(samples(synthesize(text, rate, wpm=wpm)), rng)
        return recognize(pcm(wave), sample_rate=rate)

    return way


def resampled(resample: Callable[[Samples, int, int], Samples]) -> Way:
    def way(text: str, wpm: float, rng: Random) -> str:
        rate, to = (int(each) for each in rng.choice(RATES, 2, replace=False))
        wave = resample(samples(synthesize(text, rate, wpm=wpm)), rate, to)
        return recognize(pcm(wave), sample_rate=to)

    return way


def padded(wave: Samples, rng: Random) -> Samples:
    return np.concatenate(
        (np.zeros(rng.integers(0, 48000)), wave, np.zeros(rng.integers(0, 48000)))
    )


WAYS: dict[str, Way] = {
    "linear16, 24 kHz": plain(24000, "linear16"),
    "mu-law, 8 kHz": plain(8000, "mulaw"),
    "A-law, 8 kHz": plain(8000, "alaw"),
    "resampled between two of six rates, band-limited": resampled(band_limited),
    "resampled between two of six rates, linear": resampled(linear),
    "8 kHz to 22.05 kHz and back, linear": through(
        8000, lambda wave, _: linear(linear(wave, 8000, 22050), 22050, 8000)
    ),
    "30 dB softer": through(8000, lambda wave, _: gain(wave, -30)),
    "18 dB louder, clipped": through(8000, lambda wave, _: gain(wave, 18)),
    "silence before and after": through(24000, padded),
    "white noise 10 dB softer, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, 10, rng)),
    "white noise as loud, 24 kHz": through(24000, lambda wave, rng: with_noise(wave, 0, rng)),
    "white noise as loud, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, 0, rng)),
    "white noise 1 dB louder, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, -1, rng)),
    "white noise 2 dB louder, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, -2, rng)),
    "white noise 3 dB louder, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, -3, rng)),
    "white noise 6 dB louder, 8 kHz": through(8000, lambda wave, rng: with_noise(wave, -6, rng)),
}


def measure(way: Way, wpm: float, count: int) -> str:
    rng = np.random.default_rng(int(wpm))
    exact = said = right = 0
    for number in range(count):
        text = TEXTS[number % len(TEXTS)]
        read = way(text, wpm, rng)
        exact += read == text
        words, heard = text.split(), read.split()
        said += len(words)
        matches = SequenceMatcher(None, words, heard, autojunk=False).get_matching_blocks()
        right += sum(block.size for block in matches)
    return f"{right / said:.2%} ({exact} of {count})"


def invented(name: str, seconds: int) -> int:
    count = 0
    for rate in (8000, 24000):
        rng = np.random.default_rng(rate)
        for _ in range(0, seconds, 30):
            count += len(recognize(pcm(SOUNDS[name](30 * rate, rate, rng)), sample_rate=rate))
    return count


def speed(run: Callable[[], object], seconds: float) -> str:
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return f"{seconds / median(times):,.0f}x"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"| channel | {' | '.join(f'{wpm} wpm' for wpm in PACES)} |")
    print("|---|" + "---:|" * len(PACES))
    for name, way in WAYS.items():
        print(f"| {name} | {' | '.join(measure(way, wpm, count) for wpm in PACES)} |", flush=True)
    minutes = max(1, count // 20)
    print(f"\n| other sounds, {2 * minutes} minutes of each | characters read |\n|---|---:|")
    for name in SOUNDS:
        print(f"| {name} | {invented(name, 60 * minutes)} |", flush=True)
    text = " ".join(TEXTS) * 10
    audio = synthesize(text)
    length = len(audio) / 48000
    print(f"\n| {length:.0f} s at 24 kHz, median of 7 | times real time |\n|---|---:|")
    print(f"| synthesize | {speed(lambda: synthesize(text), length)} |")
    print(f"| recognize | {speed(lambda: recognize(audio, sample_rate=24000), length)} |")


if __name__ == "__main__":
    main()

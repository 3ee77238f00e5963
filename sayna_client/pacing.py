"""Sending audio at the speed at which it is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from sayna_client import types
from sayna_client.errors import SaynaValidationError

# Bytes of one sample, by encoding.
_SAMPLE_BYTES = {
    "linear16": 2,
    "pcm": 2,
    "mulaw": 1,
    "ulaw": 1,
    "alaw": 1,
}


def bytes_per_second(config: types.STTConfig | None) -> float:
    """Return how much audio is a second.

    Raises:
        SaynaValidationError: no configuration, or an encoding of no fixed size.
    """
    size = _SAMPLE_BYTES.get(config.encoding) if config is not None else None
    if config is None or size is None:
        raise SaynaValidationError(
            "pace='realtime' needs an stt_config with an encoding of fixed size:"
            f" {', '.join(_SAMPLE_BYTES)}"
        )
    return float(size * config.sample_rate * config.channels)


async def paced(
    source: AsyncIterable[bytes] | Iterable[bytes], rate: float | None
) -> AsyncIterator[bytes]:
    """Yield pieces; with a rate (bytes per second) each when the audio before it was spoken.

    A source that is late is not hurried after: the clock of the stream waits for it.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    async for piece in _pieces(source):
        if rate is not None:
            now = loop.time()
            if due > now:
                await asyncio.sleep(due - now)
            due = max(due, now) + len(piece) / rate
        yield piece


async def _pieces(source: AsyncIterable[bytes] | Iterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(source, AsyncIterable):
        async for piece in source:
            yield piece
    else:
        for piece in source:
            yield piece

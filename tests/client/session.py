"""Short ways to a client and a scripted conversation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from sayna_client import SaynaClient, STTConfig, TTSConfig
from tests.client.peer import Wire, peer

STT = STTConfig(provider="deepgram", model="nova-3")
TTS = TTSConfig(provider="deepgram", model="aura-asteria-en")


def client_of(url: str, **options: Any) -> SaynaClient:
    """Return a client with audio."""
    return SaynaClient(url, STT, TTS, **options)


def result(transcript: str) -> dict[str, Any]:
    """Return a final transcript."""
    return {
        "type": "stt_result",
        "transcript": transcript,
        "is_final": True,
        "is_speech_final": False,
        "confidence": 0.5,
    }


async def finished(client: SaynaClient) -> None:
    """Wait until the session is over."""
    if client.closed is None:
        await client.wait_for("closed", timeout=20)


async def paused(client: SaynaClient) -> None:
    """Wait until reading has stopped because a bound is reached."""
    while client.counters.pauses == 0:  # noqa: ASYNC110 - a counter has no event
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def talk(*frames: str | bytes | dict[str, Any], **options: Any) -> AsyncIterator[SaynaClient]:
    """Give a client whose server becomes ready, sends the frames and closes the way Sayna does."""

    async def script(wire: Wire) -> None:
        await wire.configured()
        for frame in frames:
            wire.send(frame)
        wire.close_frame()
        await wire.receive_until_closed()

    async with peer(script) as url, client_of(url, **options) as client:
        yield client


def nothing_left() -> list[str]:
    """Name the tasks of the SDK that are still there."""
    return [
        str(task.get_coro())
        for task in asyncio.all_tasks()
        if "sayna_client" in str(task.get_coro())
        or "Session." in str(task.get_coro())
        or "Link." in str(task.get_coro())
        or "Lane." in str(task.get_coro())
        or "Connection." in str(task.get_coro())
    ]

"""Sayna's own track in a room: a buffer of 2 s that paces who fills it (websocket.md 6.5)."""

import asyncio
from collections.abc import Callable

from sayna_testing.server.rooms import Room

BUFFER = 2.0


class RoomTrack:
    """Where speech goes once Sayna joined: taken for 16-bit mono PCM, whatever it is."""

    def __init__(
        self, room: Room, sample_rate: int, reaching: Callable[[list[bytes]], list[bytes]]
    ) -> None:
        """`reaching` says which chunks get as far as the room."""
        self._room = room
        self._sample_rate = sample_rate
        self._reaching = reaching
        self._loop = asyncio.get_running_loop()
        self._drained_at = 0.0
        self.connected = True

    async def play(self, chunks: list[bytes]) -> list[bytes]:
        """Queue chunks, waiting while the buffer is full; returns those the room did not take."""
        if not self.connected or not self._sample_rate:
            return chunks
        whole = [chunk for chunk in chunks if len(chunk) % 2 == 0]
        pcm = b"".join(self._reaching(whole))
        if pcm:
            await self._push(pcm)
        return [chunk for chunk in chunks if len(chunk) % 2]

    async def _push(self, pcm: bytes) -> None:
        duration = len(pcm) / (2 * self._sample_rate)
        ahead = self._drained_at - self._loop.time()
        if ahead + min(duration, BUFFER) > BUFFER:
            await asyncio.sleep(ahead + min(duration, BUFFER) - BUFFER)
        self._drained_at = max(self._drained_at, self._loop.time()) + duration
        self._room.play_audio(pcm, self._sample_rate)

    def clear(self) -> None:
        """Drop what the room has not heard."""
        self._drained_at = 0.0
        if self.connected:
            self._room.clear_audio()

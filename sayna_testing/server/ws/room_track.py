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
        if not self._sample_rate:
            return chunks
        whole = [chunk for chunk in chunks if len(chunk) % 2 == 0]
        await self._wait_for_room(self._lasts(whole))
        if not self.connected:
            return chunks
        if pcm := b"".join(self._reaching(whole)):
            self._drained_at = max(self._drained_at, self._loop.time()) + self._lasts([pcm])
            self._room.play_audio(pcm, self._sample_rate)
        return [chunk for chunk in chunks if len(chunk) % 2]

    def _lasts(self, chunks: list[bytes]) -> float:
        return sum(map(len, chunks)) / (2 * self._sample_rate)

    async def _wait_for_room(self, duration: float) -> None:
        excess = self._drained_at - self._loop.time() + min(duration, BUFFER) - BUFFER
        if self.connected and excess > 0:
            await asyncio.sleep(excess)

    def clear(self) -> None:
        """Drop what the room has not heard."""
        self._drained_at = 0.0
        if self.connected:
            self._room.clear_audio()

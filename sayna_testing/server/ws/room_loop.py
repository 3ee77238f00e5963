"""The loading indicator in a room: a clip that loops (websocket.md 10.2)."""

import asyncio
import math

from sayna_testing.server.rooms import AgentLoop, Room
from sayna_testing.server.ws.loading import Clip

FADE = 0.03
"""Seconds in which `loading_stop` fades the loop out (10.2)."""


class Loading:
    """The loop of one Sayna in her room; it never meets speech, `clear` or the socket (10.2)."""

    def __init__(self, room: Room, identity: str, clip: Clip) -> None:
        self._room = room
        self._identity = identity
        self._clip = clip
        self._clock = asyncio.get_running_loop().time
        self._loop: AgentLoop | None = None
        self._silent_from = -math.inf

    def start(self) -> None:
        """Begin to loop; no effect while it sounds, also during the fade."""
        now = self._clock()
        if self._loop is None and now >= self._silent_from:
            self._loop = self._room.loop_audio(
                self._identity, self._clip.mono(), self._clip.sample_rate, now
            )

    def stop(self, fade: float = FADE) -> None:
        """Fade out, or (0) fall silent at once; no effect unless it loops."""
        loop, self._loop = self._loop, None
        if loop is not None:
            self._silent_from = self._clock() + fade
            self._room.end_loop(loop, fade)

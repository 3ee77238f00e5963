"""What one fake server knows, shared by REST, WebSocket sessions and calls."""

import asyncio
import random
import threading
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from sayna_testing.server.far_end import FarEnd
from sayna_testing.server.faults import Faults
from sayna_testing.server.hooks import Hooks
from sayna_testing.server.livekit import LiveKit
from sayna_testing.server.places import Places
from sayna_testing.server.recordings import Recordings
from sayna_testing.server.rooms import Ids, Rooms
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.tts_error import SpeakError
from sayna_testing.server.voices import CATALOGUE, Voice, check_voices


class ServerState:
    """The state of one server behind one `lock`: what one route makes the others show."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self.settings = settings or ServerSettings()
        self.lock = threading.RLock()
        self.rng = random.Random(self.settings.seed)
        self.ids = Ids(self.rng)
        self.rooms = Rooms(self.ids, self.lock)
        unmute = self.settings.livekit is not None and self.settings.livekit.remote_unmute
        self.livekit = LiveKit(self.rooms, remote_unmute=unmute)
        self.hooks = Hooks(self.settings, self.lock)
        self.recordings = Recordings()
        self.tts_cache: dict[Any, bytes] = {}
        self.faults = Faults(self.settings.seed)
        self.stt_refusals: deque[str] = deque()
        """Each makes the recogniser of this provider refuse one link (websocket.md 4.2.6)."""
        self.tts_failures: deque[SpeakError] = deque()
        """Each makes one synthesis fail, in the order of the requests."""
        self.far_ends: dict[str, FarEnd] = {}
        """Who picks up, by `tel:` URI; `anybody` does for all other numbers."""
        self.anybody = FarEnd()
        self.provider_places = Places(4)
        self.webhook_places = Places(3)
        self.background: set[asyncio.Task[None]] = set()
        self._voices: Mapping[str, list[Voice]] = CATALOGUE

    @property
    def voices(self) -> Mapping[str, list[Voice]]:
        """Voices by provider key; `GET /voices` leaves providers without credentials out."""
        return self._voices

    @voices.setter
    def voices(self, voices: Mapping[str, list[Voice]]) -> None:
        self._voices = check_voices(voices)

    def far_end(self, number: str) -> FarEnd:
        """Who picks up a `tel:` URI."""
        return self.far_ends.get(number, self.anybody)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the answer, in the running loop; it is kept until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    def close(self) -> None:
        """Cancel what still runs beside the answers, in whichever loops; from any thread."""
        for task in tuple(self.background):
            with suppress(RuntimeError):  # its loop is closed, and nothing runs there any more
                task.get_loop().call_soon_threadsafe(task.cancel)

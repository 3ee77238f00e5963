"""Speech out, text by text, and the window in which it is protected (websocket.md 6, 7)."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayna_testing.server.media import MediaExtraError
from sayna_testing.server.providers import Credentials
from sayna_testing.server.state import ServerState
from sayna_testing.server.text import trim
from sayna_testing.server.tts_error import SpeakError
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.outbox import Outbox, audio
from sayna_testing.server.ws.room_track import RoomTrack
from sayna_testing.server.ws.synthesis import broken_off, cache_key, cut, synthesise
from sayna_testing.server.ws.window import Window

CLEARING = 0.05
"""Seconds an effective `clear` takes (7.3)."""
FIRST_BYTE = 0.005
"""The least a synthesis takes, so that texts sent in one breath queue up behind each other."""
TURNS_TO_READ = 3
"""Turns of the loop after which a `speak` that came during a synthesis has been handled."""
BATCH = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next synthesis fails: with a TTSError text, after so many bytes of its audio."""

    text: str
    after: int = 0


class Speaker:
    """The speech queue of one pipeline."""

    def __init__(
        self,
        state: ServerState,
        config: Mapping[str, Any],
        credentials: Credentials,
        outbox: Outbox,
        session: str,
    ) -> None:
        self.track: RoomTrack | None = None
        self.failures: deque[Failure] = deque()
        self._state = state
        self._config = config
        self._credentials = credentials
        self._google = credentials.provider == "google"
        self._outbox = outbox
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._window = Window()
        self._waiting: deque[str] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def interruptible(self) -> bool:
        """Whether `clear` works and transcripts come through now."""
        return self._window.is_open(self._now())

    async def speak(self, text: str, *, flush: bool, allow_interruption: bool) -> None:
        """Queue a text; Google's is spoken before this returns (6.1)."""
        if flush and self._state.settings.documented_flush:
            self.drop()
        self._window.on_speak(self._now(), allow_interruption=allow_interruption)
        text = trim(text)
        if not text:
            return
        if self._google:
            await self._speak_inline(text)
            return
        self._waiting.append(text)
        if self._worker is None:
            self._worker = self._loop.create_task(self._work())
            self._worker.add_done_callback(_tell_failure)

    async def clear(self) -> None:
        """Drop what is not handed out yet (7.3)."""
        self.drop()
        if self.track is not None:
            self.track.clear()
        await asyncio.sleep(CLEARING)
        self._window.reset()

    def drop(self) -> None:
        """Stop speaking and forget what waits, without a word."""
        self._waiting.clear()
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    async def _work(self) -> None:
        while self._waiting:
            try:
                await self._say(self._waiting.popleft())
            except (SpeakError, MediaExtraError) as error:
                await self._outbox.send(messages.error(f"TTS error: {error}"))
            for _ in range(TURNS_TO_READ):
                await asyncio.sleep(0)
        self._worker = None
        self._complete()

    async def _speak_inline(self, text: str) -> None:
        try:
            await self._say(text)
        except (SpeakError, MediaExtraError) as error:
            refusal = f"Failed to synthesize speech: TTS error: {error}"
            await self._outbox.send(messages.error(refusal))
        else:
            self._complete()

    def _complete(self) -> None:
        self._window.on_completion()
        self._outbox.post(messages.tts_playback_complete())

    async def _say(self, text: str) -> None:
        """Hand out the audio of a text: one chunk if it was spoken before on this server (6.2)."""
        await asyncio.sleep(max(self._state.settings.tts_latency, FIRST_BYTE))
        key = cache_key(text, self._config, self._credentials)
        failure = self._next_failure()
        cached = None if failure or self._google else self._state.tts_cache.get(key)
        if cached is not None:
            await self._hand_out([cached])
            return
        if failure and not failure.after:
            raise SpeakError(failure.text)
        clip = synthesise(text, self._config, self._credentials, wpm=self._state.settings.wpm)
        if failure:
            clip = broken_off(clip[: failure.after], self._config, google=self._google)
        await self._hand_out(list(cut(clip, self._config, google=self._google)))
        if failure:
            raise SpeakError(failure.text)
        if not self._google:
            self._state.tts_cache[key] = clip

    def _next_failure(self) -> Failure | None:
        """The failure of this session's provider, else a planned one, else of everybody's."""
        if self.failures:
            return self.failures.popleft()
        if planned := self._state.faults.speech(self._session):
            return Failure(planned[0].text, planned[0].after)
        everybodys = self._state.tts_failures
        return Failure(str(everybodys.popleft())) if everybodys else None

    async def _hand_out(self, chunks: list[bytes]) -> None:
        for start in range(0, len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            self._window.on_audio(self._now(), batch, self._config["sample_rate"])
            if self.track is not None:
                batch = await self.track.play(batch)
            for chunk in batch:
                if self._outbox.is_full:
                    await self._outbox.space()
                self._outbox.put(audio(chunk))

    def _now(self) -> int:
        return int(self._loop.time() * 1000)


def _tell_failure(worker: asyncio.Task[None]) -> None:
    """Let the loop tell at once what went wrong; a task that is kept tells nobody."""
    if not worker.cancelled():
        worker.result()

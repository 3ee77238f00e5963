"""The voice side: a session that listens, asks the dialogue what to say, and says it."""

from __future__ import annotations

import asyncio
import contextlib

from booking_agent.dialogue import Dialogue
from sayna_client import (
    ErrorMessage,
    ReadyMessage,
    ReconnectPolicy,
    SaynaClient,
    STTConfig,
    STTResultMessage,
    TTSConfig,
)

RATE = 16000
STT = STTConfig(provider="deepgram", model="nova-3", language="en-GB", sample_rate=RATE)
TTS = TTSConfig(provider="deepgram", model="aura-2-thalia-en", sample_rate=RATE)
BYTES_PER_SECOND = 2 * RATE
PATIENCE = 8.0
"""Seconds of silence on both sides after which the agent speaks up, or at last hangs up."""


class BookingAgent:
    """One call: stops when the caller begins to speak, answers when they have finished."""

    def __init__(self, url: str) -> None:
        self.client = SaynaClient(url, STT, TTS, reconnect=ReconnectPolicy())
        self.dialogue = Dialogue()
        self._pieces: list[str] = []
        self._last_final = ""
        self._caller_speaks = False
        self._quiet_from = 0.0
        self._retry = ""
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Hold the conversation until either side ends it."""
        self.client.on("ready", self._on_ready)
        self.client.on("stt_result", self._on_result)
        self.client.on("tts_audio", self._on_audio)
        self.client.on("error", self._on_error)
        self.client.on("closed", lambda _: self._over.set())
        async with self.client.connect():
            await self._keep_in_touch()

    async def stop_talking(self) -> None:
        """Drop what is queued or sounding."""
        await self.client.clear()

    async def _on_ready(self, _: ReadyMessage) -> None:
        """Greet; in a session that follows a lost one, go on."""
        await self._say(self.dialogue.begin())

    async def _on_result(self, result: STTResultMessage) -> None:
        """Words stop the agent, a noise does not; the end of speech is answered."""
        words = result.transcript.strip()
        if result.is_final and words == self._last_final and not self._caller_speaks:
            return  # the recogniser has sent it twice
        if words and not self._caller_speaks:
            await self.stop_talking()
        if words:
            self._quiet_from = _now()
            self._caller_speaks = True
        if result.is_final:
            self._caller_speaks, self._last_final = False, words
            await self._on_final(words, is_end=result.is_speech_final)

    async def _on_final(self, words: str, *, is_end: bool) -> None:
        """What is said comes in pieces, and its end perhaps without words."""
        self._pieces += [words] if words else []
        if is_end and self._pieces:
            said, self._pieces = " ".join(self._pieces), []
            await self._say(self.dialogue.answer(said))

    def _on_audio(self, audio: bytes) -> None:
        """Count when the caller will have heard it all: it comes faster than it sounds."""
        self._quiet_from = max(self._quiet_from, _now()) + len(audio) / BYTES_PER_SECOND

    async def _on_error(self, error: ErrorMessage) -> None:
        """Try failed speech once more, and admit it when nothing is heard any longer."""
        if error.message.startswith("TTS error") and self._retry:
            again, self._retry = self._retry, ""
            await self.client.speak(again)
        elif error.message.startswith("STT streaming error"):
            await self._say(self.dialogue.give_up())

    async def _say(self, text: str) -> None:
        if self.client.ready:
            self._retry, self._quiet_from = text, _now()
            await self.client.speak(text)

    async def _keep_in_touch(self) -> None:
        """Speak to a caller who is silent for too long; leave when there is no more to say."""
        self._quiet_from = max(self._quiet_from, _now())
        while not self._over.is_set():
            if (patience := self._quiet_from + PATIENCE - _now()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), patience)
            elif not self.client.ready:  # a lost line is being taken up again
                self._quiet_from = _now()
            elif prompt := self.dialogue.prompt():
                await self._say(prompt)
            else:
                return


def _now() -> float:
    return asyncio.get_running_loop().time()


async def run(url: str) -> None:
    """Serve one call on the server at `url`."""
    await BookingAgent(url).run()

"""The voice side: listens, lets the model think, speaks each sentence as soon as it is whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Protocol

from sayna_client import LiveKitConfig, SaynaClient, STTConfig, STTResultMessage, TTSConfig

GREETING = "Harbour Clinic, good morning. How can I help you?"
STT = STTConfig(
    provider="deepgram",
    language="en-GB",
    sample_rate=16000,
    channels=1,
    punctuation=True,
    encoding="linear16",
    model="nova-3",
)
TTS = TTSConfig(provider="deepgram", model="aura-2-thalia-en", sample_rate=16000)


class Model(Protocol):
    """A language model that streams its answer."""

    def reply(self, history: list[tuple[str, str]]) -> AsyncIterator[str]:
        """The pieces of an answer to what was said so far, as (who, text)."""
        ...


class Conversation:
    """One call, until its caller is gone."""

    def __init__(self, url: str, room: str, model: Model, *, reception: str) -> None:
        self.client = SaynaClient(
            url,
            STT,
            TTS,
            livekit_config=LiveKitConfig(room_name=room, enable_recording=True),
            stream_id=room,
        )
        self.model = model
        self.reception = reception
        self.history: list[tuple[str, str]] = []
        self._pieces: list[str] = []
        self._answer: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Hold the call."""
        self.client.register_on_stt_result(self._on_result)
        self.client.on("closed", lambda _: self._over.set())
        await self.client.connect()
        try:
            await self._say(GREETING)
            await self._over.wait()
        finally:
            await self._stop_thinking()
            await self.client.disconnect()

    async def _on_result(self, result: STTResultMessage) -> None:
        """Words of the caller stop ours; the end of their speech starts an answer."""
        if result.transcript.strip():
            if await self._stop_thinking() or not result.is_final:
                await self.client.clear()
            if result.is_final:
                self._pieces.append(result.transcript)
        if result.is_speech_final and self._pieces:
            said, self._pieces = " ".join(self._pieces), []
            self.history.append(("caller", said))
            self._answer = asyncio.create_task(self._think())

    async def _think(self) -> None:
        """Speak while the model is still at it, sentence by sentence."""
        sentence = ""
        async for piece in self.model.reply(self.history):
            sentence += piece
            if re.search(r"[.!?]\s*$", sentence):
                await self._say(sentence.strip())
                sentence = ""
        if sentence.strip():
            await self._say(sentence.strip())

    async def _say(self, sentence: str) -> None:
        if sentence == "[hand over]":
            await self.client.sip_transfer(self.reception)
            return
        self.history.append(("agent", sentence))
        await self.client.speak(sentence)

    async def _stop_thinking(self) -> bool:
        """Give up the answer that is being made; whether there was one."""
        answer, self._answer = self._answer, None
        if answer is None or answer.done():
            return False
        answer.cancel()
        await asyncio.wait({answer})
        return True

"""The voice side: a session that listens, asks the dialogue what to say, and says it."""

from __future__ import annotations

import asyncio

from booking_agent.dialogue import Dialogue
from sayna_client import SaynaClient, STTConfig, STTResultMessage, TTSConfig

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


class BookingAgent:
    """One call: greets, then answers whenever the caller has finished speaking."""

    def __init__(self, url: str) -> None:
        self.client = SaynaClient(url, STT, TTS)
        self.dialogue = Dialogue()
        self._said: list[str] = []

    async def run(self) -> None:
        """Hold the conversation until the cancellation of this task."""
        self.client.register_on_stt_result(self.on_transcript)
        await self.client.connect()
        try:
            await self.client.speak(self.dialogue.greeting)
            await asyncio.Event().wait()
        finally:
            await self.client.disconnect()

    async def on_transcript(self, result: STTResultMessage) -> None:
        """Collect what the caller says, piece by piece, and answer at the end of speech."""
        if not result.is_final:
            return
        self._said.append(result.transcript)
        if result.is_speech_final:
            said, self._said = " ".join(self._said), []
            await self.client.speak(self.dialogue.answer(said))


async def run(url: str) -> None:
    """Serve one call on the server at `url`."""
    await BookingAgent(url).run()

"""Agents under test: written on the SDK alone, as users write them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import BackgroundTasks, FastAPI, Request

from sayna_client import LiveKitConfig, SaynaClient, STTConfig, STTResultMessage, TTSConfig
from sayna_client.webhook_receiver import WebhookReceiver

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
SECRET = "fake-sayna-hook-secret-0001"

Answer = Callable[[SaynaClient, str], Awaitable[None]]


class EchoAgent:
    """Greets, stops when it is talked over, answers with what it heard."""

    def __init__(self, url: str, room: str | None = None, *, barge_in: bool = True) -> None:
        livekit = LiveKitConfig(room_name=room, enable_recording=True) if room else None
        self.client = SaynaClient(url, STT, TTS, livekit_config=livekit, stream_id=room)
        self.barge_in = barge_in
        self.over = asyncio.Event()

    async def run(self, greeting: str = "Hello! How can I help?") -> None:
        """Talk until the caller is gone."""
        self.client.register_on_stt_result(self.on_result)
        self.client.register_on_participant_disconnected(lambda _: self.over.set())
        await self.client.connect()
        try:
            await self.client.speak(greeting)
            await self.over.wait()
        finally:
            await self.client.disconnect()

    @classmethod
    async def run_at(cls, url: str) -> None:
        """Serve one session at an address."""
        await cls(url).run()

    async def on_result(self, result: STTResultMessage) -> None:
        if not result.is_final:
            if self.barge_in:
                await self.client.clear()
        elif result.is_speech_final and result.transcript == "goodbye":
            self.over.set()
        elif result.is_speech_final:
            await self.client.speak(f"You said: {result.transcript}.")


def telephone_app(url: str, *, barge_in: bool = True, status: int = 200) -> FastAPI:
    """A web application that answers the webhook and talks in a background task."""
    app = FastAPI()
    receiver = WebhookReceiver(SECRET)

    @app.post("/sayna")
    async def incoming(request: Request, background: BackgroundTasks) -> dict[str, str]:
        hook = receiver.receive(request.headers, (await request.body()).decode())
        if status == 200:
            background.add_task(EchoAgent(url, hook.room.name, barge_in=barge_in).run)
        return {"from": hook.from_phone_number}

    @app.middleware("http")
    async def refuse(request: Request, call_next: Callable[..., Awaitable[object]]) -> object:
        response = await call_next(request)
        response.status_code = status  # type: ignore[attr-defined]
        return response

    return app

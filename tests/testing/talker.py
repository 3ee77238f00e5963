"""An agent that does everything right, and can be told to get one thing wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request

from sayna_client import (
    ErrorMessage,
    LiveKitConfig,
    MessageMessage,
    ParticipantConnectedMessage,
    SaynaClient,
    SipTransferErrorMessage,
    STTResultMessage,
)
from sayna_client.webhook_receiver import WebhookReceiver
from tests.testing.agents import SECRET, STT, TTS

THOUGHT = 0.3
"""Seconds it thinks before an answer."""
PATIENCE = 9.0
"""Seconds of silence after which it asks whether anybody is there."""


class Talker:
    """Greets, listens, thinks, answers; `flaw` names the one thing it gets wrong."""

    def __init__(self, url: str, room: str | None = None, *, flaw: str = "") -> None:
        self.url, self.room, self.flaw = url, room, flaw
        self.over = asyncio.Event()
        self.broken: BaseException | None = None
        self.pieces: list[str] = []
        self.interims: list[str] = []
        self.last_final = ""
        self.last_said = ""
        self.answered: set[str] = set()
        self.thought: asyncio.Task[None] | None = None
        self.prompt: asyncio.Task[None] | None = None
        self.completed = True
        self.clears = 0
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Talk until the caller is gone; a lost session is taken up again, a call is not."""
        greeting = "Hello! How can I help you today? Just tell me what you would like to book."
        while not self.over.is_set():
            await self.session(greeting)
            greeting = "We were cut off. Where were we, please?"
        if self.broken:
            raise self.broken

    async def session(self, greeting: str) -> None:
        """One connection."""
        livekit = LiveKitConfig(room_name=self.room, enable_recording=True) if self.room else None
        self.client = SaynaClient(self.url, STT, TTS, livekit_config=livekit, stream_id=self.room)
        ended = self.ended = asyncio.Event()
        client = self.client
        client.on("stt_result", self.on_result)
        client.on("error", self.on_error)
        client.on("message", self.on_message)
        client.on("sip_transfer_error", self.on_transfer_error)
        client.on("participant_connected", self.on_joined)
        client.on("participant_disconnected", self.on_left)
        client.on("tts_playback_complete", self.on_complete)
        client.on("handler_error", lambda event: self.breaks(event.error))
        client.on("closed", lambda closed: self.on_closed(closed, ended))
        await client.connect()
        try:
            if self.flaw != "waits for participant_connected":
                await self.say(greeting, protected=self.flaw == "is deaf after protected speech")
            await ended.wait()
            if self.flaw == "speaks into a closed line" and self.thought:
                await self.thought
        finally:
            for task in (self.thought, self.prompt):
                if task:
                    task.cancel()
            await client.disconnect()

    async def on_closed(self, closed: Any, ended: asyncio.Event) -> None:
        if self.flaw == "talks on after the hang-up" and not self.room:
            await self.say("Hello?")
        lost = closed.code is not None or closed.initiator == "network"
        if not lost or self.room or self.flaw == "gives up when the line drops":
            self.over.set()
        ended.set()

    def breaks(self, error: BaseException) -> None:
        self.broken = error
        self.over.set()
        self.ended.set()

    def start(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await work()
            except Exception as error:
                self.breaks(error)

        return asyncio.create_task(guarded())

    # Speaking

    async def say(self, text: str, *, protected: bool = False) -> None:
        self.last_said = text
        self.completed = False
        await self.client.speak(text, allow_interruption=not protected)
        self.expects_an_answer()

    def expects_an_answer(self) -> None:
        if self.prompt:
            self.prompt.cancel()
        if self.flaw not in (
            "never asks whether anybody is there",
            "is deaf after protected speech",
        ):
            self.prompt = self.start(self.ask_whether_anybody_is_there)

    async def ask_whether_anybody_is_there(self) -> None:
        await asyncio.sleep(len(self.last_said) / 14 + PATIENCE)
        self.prompt = None
        await self.say("Hello? Are you still there?")

    async def answer(self, said: str) -> None:
        await asyncio.sleep(THOUGHT)
        if self.client.closed and self.flaw != "speaks into a closed line":
            return
        if self.room and re.search("person|human", said):
            await self.client.loading_start()
            await self.client.loading_stop()
            await self.client.sip_transfer("+442079460123")
            await self.say("One moment, I will put you through.")
        else:
            await self.say(f"You said: {said}. What else can I do for you?")

    def think(self, said: str) -> None:
        if self.thought and self.flaw != "answers twice":
            self.thought.cancel()
        self.thought = self.start(lambda: self.answer(said))

    # Listening

    async def on_result(self, result: STTResultMessage) -> None:
        if self.flaw == "is deaf after protected speech" and not result.transcript.startswith("["):
            return
        if result.is_final:
            self.on_final(result)
        elif result.transcript.strip():
            await self.on_interim(result.transcript)
        else:
            await self.on_noise()

    async def on_noise(self) -> None:
        if self.flaw == "stops for noise":
            await self.client.clear()
        if self.flaw == "answers noise":
            self.think("something")

    async def on_interim(self, text: str) -> None:
        shrunk = self.interims and len(text) < len(self.interims[-1])
        if self.flaw == "trips over changed interims" and shrunk:
            raise ValueError(f"{text!r} is shorter than what came before")
        if self.prompt:
            self.prompt.cancel()
        if self.thought:
            self.thought.cancel()
        if self.flaw == "is slow with interims":
            await asyncio.sleep(1.5)
        first = not self.interims
        self.interims.append(text)
        if self.flaw == "answers interims" and len(text.split()) == 3:
            await self.say("I understand.")
        talks_on = {"talks over the caller": True, "stops only once": self.clears > 0}
        if first and not talks_on.get(self.flaw, False):
            self.clears += 1
            await self.client.clear()

    def on_final(self, result: STTResultMessage) -> None:
        text, interims, self.interims = result.transcript.strip(), self.interims, []
        if self.is_duplicate(text, interims) or self.is_overheard(result, text, interims):
            return
        if text:
            self.pieces.append(text)
        whole = result.is_speech_final
        if self.flaw == "waits for words at the end of speech":
            whole = whole and bool(text)
        if (whole or self.flaw == "answers every piece") and self.pieces:
            said, self.pieces = " ".join(self.pieces), []
            if self.flaw == "answers nothing twice" and said in self.answered:
                return
            self.answered.add(said)
            self.think(said)

    def is_duplicate(self, text: str, interims: list[str]) -> bool:
        """The same final again, without an interim, while the answer to it is thought out."""
        again = bool(text) and text == self.last_final and not interims
        self.last_final = text
        thinking = self.thought is not None and not self.thought.done()
        return again and thinking and self.flaw != "answers twice"

    def is_overheard(self, result: STTResultMessage, text: str, interims: list[str]) -> bool:
        """What agents with a flaw do not take for speech."""
        return {
            "ignores what it cannot be sure of": result.confidence < 0.6,
            "needs interims": bool(text) and not interims,
            "ignores single words": len(text.split()) == 1,
            "waits for playback to complete": not self.completed,
        }.get(self.flaw, False)

    # Everything else

    async def on_error(self, error: ErrorMessage) -> None:
        if error.message.startswith("TTS error") and self.flaw != "never says it again":
            await self.say(self.last_said)
        if (
            error.message.startswith("STT streaming")
            and self.flaw != "says nothing when it hears nothing any more"
        ):
            await self.say("I am sorry, I cannot hear you. Please call again.")

    async def on_message(self, message: MessageMessage) -> None:
        if self.flaw == "breaks on a message":
            raise ValueError(f"not JSON: {message.message.message!r}")
        await self.client.send_message("thanks", "assistant", topic="chat")

    async def on_transfer_error(self, _: SipTransferErrorMessage) -> None:
        if self.flaw != "says nothing when a transfer fails":
            await self.say("Nobody is free at the moment. Can I help you myself?")

    async def on_joined(self, event: ParticipantConnectedMessage) -> None:
        if self.flaw == "leaves when somebody joins":
            self.over.set()
            self.ended.set()
        if self.flaw == "waits for participant_connected":
            await self.say(f"Hello {event.participant.identity}!")

    async def on_left(self, _: object) -> None:
        self.over.set()
        if self.flaw == "talks on after the hang-up":
            await self.say("Hello?")

    def on_complete(self, _: object) -> None:
        self.completed = True


def talker(flaw: str = "") -> Callable[[str], Awaitable[None]]:
    """The agent as something to run against an address."""
    return lambda url: Talker(url, flaw=flaw).run()


def talker_app(url: str, flaw: str = "") -> FastAPI:
    """The agent as a web application that answers the webhook of a call."""
    app = FastAPI()
    receiver = WebhookReceiver(SECRET)

    @app.post("/sayna")
    async def incoming(request: Request, background: BackgroundTasks) -> dict[str, str]:
        hook = receiver.receive(request.headers, (await request.body()).decode())
        background.add_task(Talker(url, hook.room.name, flaw=flaw).run)
        return {"room": hook.room.name}

    return app

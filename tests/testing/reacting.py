"""Agents as tables of what they do when, and scripts as text, for tests of the player."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import BackgroundTasks, FastAPI, Request

from sayna_client import LiveKitConfig, SaynaClient, STTResultMessage
from sayna_client.webhook_receiver import WebhookReceiver
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import Outcome, Script, loads
from sayna_testing.scripts.staging import Agent
from tests.testing.agents import SECRET, STT, TTS

Act = Callable[[SaynaClient], Awaitable[object]]
GREETING = "Hello! How can I help you today?"


def says(text: str, *, after: float = 0.0) -> Act:
    async def act(client: SaynaClient) -> None:
        await asyncio.sleep(after)
        await client.speak(text)

    return act


def both(*acts: Act) -> Act:
    async def act(client: SaynaClient) -> None:
        for one in acts:
            await one(client)

    return act


async def hold(url: str, table: Mapping[str, Act], room: str | None = None) -> None:
    """Be an agent: do what the table has for `ready`, `interim`, and each final by its text."""
    livekit = LiveKitConfig(room_name=room) if room else None
    client = SaynaClient(url, STT, TTS, livekit_config=livekit)
    over = asyncio.Event()

    async def on_result(result: STTResultMessage) -> None:
        key = result.transcript if result.is_final else "interim"
        if key in table:
            await table[key](client)

    client.on("stt_result", on_result)
    client.on("closed", lambda _: over.set())
    await client.connect()
    try:
        await table["ready"](client) if "ready" in table else None
        await over.wait()
    finally:
        await client.disconnect()


def reacts(table: Mapping[str, Act]) -> Agent:
    return lambda url: hold(url, table)


def reacts_on_the_phone(url: str, table: Mapping[str, Act]) -> FastAPI:
    app = FastAPI()
    receiver = WebhookReceiver(SECRET)

    @app.post("/sayna")
    async def incoming(request: Request, background: BackgroundTasks) -> None:
        hook = receiver.receive(request.headers, (await request.body()).decode())
        background.add_task(hold, url, table, hook.room.name)

    return app


def script(turns: str) -> Script:
    return loads(f'name = "test"\n{turns}')


def play(server: FakeSaynaServer, turns: str, table: Mapping[str, Act]) -> Outcome:
    return asyncio.run(server.try_play(script(turns), reacts(table)))


def call(server: FakeSaynaServer, turns: str, table: Mapping[str, Act]) -> Outcome:
    app = reacts_on_the_phone(server.url, table)
    return asyncio.run(server.try_play(script(turns), app))


def moment(outcome: Outcome, flow: str, kind: str) -> float:
    return next(e.at for e in outcome.entries if (e.flow, e.kind) == (flow, kind))

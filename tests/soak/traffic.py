"""Things that happen to a Sayna server, well-behaved and not: each one interaction, soon over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from random import Random

import aiohttp
from aiohttp import web

from sayna_client import (
    LiveKitConfig,
    SaynaClient,
    SaynaError,
    SaynaWebhookError,
    STTConfig,
    TTSConfig,
    WebhookReceiver,
)
from sayna_testing import (
    WEBHOOK_SECRET,
    ExpectationError,
    FakeSaynaServer,
    Session,
    WebhookSigner,
    forgeries,
)
from sayna_testing.speech import synthesize

STT = STTConfig(provider="deepgram", model="nova-3")
TTS = TTSConfig(provider="deepgram", model="aura-2-thalia-en", sample_rate=16000)
SPEECH = synthesize("a table for two", sample_rate=16000)

Act = Callable[[FakeSaynaServer, Random], Awaitable[None]]

FAULTS: tuple[Callable[[Session], Awaitable[object]], ...] = (
    lambda session: session.drop(),
    lambda session: session.close(),
    lambda session: session.close(1011),
    lambda session: session.send_error("a provider has trouble"),
    lambda session: session.recognition_fails("Network error: WebSocket error: gone"),
    lambda session: session.speech_fails("Provider error: API error (401 Unauthorized): no"),
    lambda session: session.push({"type": "of_a_newer_server", "value": 1}),
    lambda session: session.push_raw('{"type":'),
    lambda session: session.push_raw(bytes(999)),
)


async def conversation(server: FakeSaynaServer, random: Random) -> None:
    """A session that speaks, listens, and meets one fault."""
    name = f"{random.getrandbits(64):x}"
    client = SaynaClient(server.url, STT, TTS, stream_id=name)
    with contextlib.suppress(SaynaError):
        async with client.connect():
            session = named(server, name)
            await client.speak("Hello! How can I help?", allow_interruption=random.random() < 0.8)
            await session.transcribe("a table for two")
            for start in range(0, random.randrange(len(SPEECH)), 3200):
                await client.on_audio_input(SPEECH[start : start + 3200])
            if random.random() < 0.5:
                await client.clear()
            await random.choice(FAULTS)(session)
            await client.speak("For when?")
            await client.wait_for("closed", timeout=0.05)


def named(server: FakeSaynaServer, stream_id: str) -> Session:
    """The session that was given this stream id."""
    ready = next(
        e for e in server.journal if e.data.get("stream_id") == stream_id and e.flow == "<"
    )
    return next(session for session in server.sessions if session.key == ready.session)


async def phone_call(server: FakeSaynaServer, random: Random) -> None:
    """A call whose agent is interrupted, leaves early, or never comes."""
    agents: set[asyncio.Task[None]] = set()

    async def agent(room: str) -> None:
        with contextlib.suppress(SaynaError):
            livekit = LiveKitConfig(room_name=room)
            async with SaynaClient(server.url, STT, TTS, livekit).connect() as client:
                client.on("stt_result", lambda _: client.clear())
                await client.speak("Hello! How can I help?")
                await client.wait_for("closed", timeout=random.choice([0.3, 5.0]))

    async def incoming(request: web.Request) -> web.Response:
        if random.random() < 0.1:
            return web.Response(status=503)
        hook = await request.json()
        task = asyncio.create_task(agent(hook["room"]["name"]))
        agents.add(task)
        task.add_done_callback(agents.discard)
        return web.Response()

    app = web.Application()
    app.router.add_post("/sayna", incoming)
    with contextlib.suppress(ExpectationError):
        async with server.call(webhook=app, wpm=320) as caller:
            await caller.interrupts("no, wait", after=0.1, within=0.5)
            if caller.present:
                await caller.sends("a message", "chat")
    if agents:
        await asyncio.wait(agents)


async def rest(server: FakeSaynaServer, random: Random) -> None:
    """Rooms, hooks, speech and calls through the client; some of it refused."""
    async with SaynaClient(server.url, without_audio=True) as client:
        name = f"room-{random.randrange(5)}"
        calls: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: client.health(),
            lambda: client.get_voices(),
            lambda: client.speak_rest("Hello!", TTS),
            lambda: client.get_livekit_token(name, "Cal Lee", "callee-5"),
            lambda: client.sip_call(name, "Cal Lee", "callee-5", "+442071838750", "+447700900123"),
            lambda: client.get_livekit_rooms(),
            lambda: client.get_livekit_room(random.choice([name, "nowhere"])),
            lambda: client.remove_livekit_participant(name, "callee-5"),
            lambda: client.set_sip_hooks([]),
            lambda: client.get_recording("nothing"),
        )
        for call in calls:
            with contextlib.suppress(SaynaError):
                await call()


async def nonsense(server: FakeSaynaServer, random: Random) -> None:
    """Requests that mean nothing, and frames that are none."""
    paths = ("/", "/speak", "/voices", "/livekit/token", "/sip/hooks", "/sip/call", "/%ff", "/ws")
    async with aiohttp.ClientSession(connector=server.connector()) as http:
        for _ in range(5):
            method = random.choice(["GET", "POST", "DELETE", "PATCH"])
            body = random.choice([b"", b"{}", b'{"text":1}', random.randbytes(200), b"[" * 500])
            async with http.request(method, server.url + random.choice(paths), data=body) as answer:
                await answer.read()
                assert answer.status < 500 or "error" in await answer.text()
        async with http.ws_connect(server.ws_url) as ws:
            for text in ("{", "null", '{"type":"speak","text":"early"}', '{"type":"config"}'):
                await ws.send_str(text)
            await ws.send_bytes(random.randbytes(640))
            await ws.receive(timeout=5)


async def raw_socket(server: FakeSaynaServer, random: Random) -> None:
    """Bytes on the port that may be no HTTP, and a peer that hangs up in the middle."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    start = random.choice([b"", b"GET /ws HTTP/1.1\r\n", b"POST /speak HTTP/1.1\r\n"])
    writer.write(start + random.randbytes(random.randrange(1, 300)))
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def webhooks(_: FakeSaynaServer, random: Random) -> None:
    """Genuine and forged webhooks, each with the verdict it deserves."""
    receiver = WebhookReceiver(WEBHOOK_SECRET)
    forgery = random.choice(forgeries())
    hook = forgery.apply(WebhookSigner(WEBHOOK_SECRET).sip_call())
    try:
        receiver.receive(hook.headers, hook.body)
    except SaynaWebhookError:
        assert not forgery.accepted, forgery.why
    else:
        assert forgery.accepted, forgery.why


IN_MEMORY: tuple[Act, ...] = (conversation, phone_call, rest, nonsense, webhooks)
OVER_TCP: tuple[Act, ...] = (conversation, rest, nonsense, raw_socket)

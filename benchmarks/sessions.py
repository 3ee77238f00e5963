"""One fake server, a thousand sessions at once, in memory.

    .venv/bin/python benchmarks/sessions.py

Every client connects and configures its session, all stand idle together (memory is read here), all
are spoken to until the speech is complete, all are closed. Exits with 1 unless all were served.
"""

import asyncio
import gc
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from sayna_testing import FakeSaynaServer

SESSIONS = 1_000
CONFIG = {
    "type": "config",
    "stt_config": {
        "provider": "deepgram",
        "language": "en-US",
        "sample_rate": 16000,
        "channels": 1,
        "punctuation": True,
        "encoding": "linear16",
        "model": "nova-3",
    },
    "tts_config": {"provider": "deepgram", "model": "aura-2-thalia-en"},
}
SPEAK = {"type": "speak", "text": "Hello! How can I help?"}


def resident() -> float:
    """KiB of this process in memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.split("VmRSS:")[1].split()[0])


async def until(socket: aiohttp.ClientWebSocketResponse, kind: str) -> None:
    """Receive up to a frame of that type."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT and message.json()["type"] == kind:
            return
    raise ConnectionError(f"expected {kind}, got the end of the session")


async def configured(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    """A client whose session is ready."""
    socket = await http.ws_connect(url)
    await socket.send_json(CONFIG)
    await until(socket, "ready")
    return socket


async def spoken_to(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Let the session speak, to the end."""
    await socket.send_json(SPEAK)
    await until(socket, "tts_playback_complete")


async def main() -> int:
    clients: list[aiohttp.ClientWebSocketResponse] = []
    with FakeSaynaServer() as server:
        async with AsyncExitStack() as stack:

            async def client() -> None:
                """One more client, in an aiohttp session of its own: one opens 100 sockets."""
                session = aiohttp.ClientSession(connector=server.connector())
                http = await stack.enter_async_context(session)
                clients.append(await configured(http, server.ws_url))

            await client()  # what is loaded only once
            await spoken_to(clients[0])
            gc.collect()
            before, began = resident(), time.perf_counter()
            await asyncio.gather(*(client() for _ in range(SESSIONS - 1)))
            connecting = time.perf_counter() - began
            gc.collect()
            idle = (resident() - before) / (SESSIONS - 1)
            began = time.perf_counter()
            await asyncio.gather(*map(spoken_to, clients))
            speaking, began = time.perf_counter() - began, time.perf_counter()
            await asyncio.gather(*(socket.close() for socket in clients))
            closing = time.perf_counter() - began
        served = sum(
            entry.kind == "tts_playback_complete" and entry.flow == "<" for entry in server.journal
        )
    print(f"sessions served at once        {len(clients):,} of {SESSIONS:,}")
    print(f"all connected and configured   {connecting:.2f} s")
    print(f"all spoken to                  {speaking:.2f} s")
    print(f"all closed                     {closing:.2f} s")
    print(f"memory of an idle session      {idle:.0f} KiB, its client's part included")
    return 0 if served == SESSIONS + 1 else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))

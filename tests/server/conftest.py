"""A bare WebSocket server around one state: sessions as a client sees them, without REST."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from sayna_testing.server.http_connection import HttpConnection
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.memory import MemoryConnector
from sayna_testing.server.rest import Request
from sayna_testing.server.rooms import AgentAudio, RoomEvent
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.state import ServerState
from sayna_testing.server.ws import Connection
from sayna_testing.server.ws.socket import Socket
from tests.frames import STT, TTS


class Client(asyncio.Protocol):
    """A client of bare bytes: keeps what comes."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


class Peer:
    """A client that sends and expects literal frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, connection: Connection) -> None:
        self.socket = socket
        self.connection = connection

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        if isinstance(frame, bytes):
            await self.socket.send_bytes(frame)
        else:
            await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def receive(self) -> Any:
        """The next frame: JSON, bytes, or the code of a Close."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return message.data

    async def text(self) -> str:
        """The next frame as text."""
        return await self.socket.receive_str()

    async def silence(self) -> None:
        """Nothing comes before the pong of a ping."""
        await self.send({"type": "speak"})
        assert await self.receive() == {
            "type": "error",
            "message": "Invalid message format: missing field `text`",
        }

    async def configure(self, **fields: Any) -> Any:
        """Send a config for a session with audio and return the answer."""
        await self.send({"type": "config", "stt_config": STT, "tts_config": TTS, **fields})
        return await self.receive()

    async def speech(self) -> tuple[list[bytes], Any]:
        """Audio up to the next JSON frame, and that frame."""
        chunks: list[bytes] = []
        while isinstance(frame := await self.receive(), bytes):
            chunks.append(frame)
        return chunks, frame


class Bench:
    """One server state and the sessions with it."""

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self.state = ServerState(settings)
        self.journal = Journal()
        self.connections: list[Connection] = []
        self.heard: list[bytes] = []
        self._clients: list[aiohttp.ClientSession] = []
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def _serve(self, request: Request, http: HttpConnection) -> None:
        auth_id = request.header("x-tenant") or ""
        key = f"ws-{len(self.connections) + 1}"
        socket = Socket(http, request.header("sec-websocket-key") or "")
        connection = Connection(self.state, self.journal, socket, key=key, auth_id=auth_id)
        self.connections.append(connection)
        await connection.serve()

    def accept(self) -> HttpConnection:
        return HttpConnection(self._serve)

    async def connect(self, *, tenant: str = "") -> Peer:
        connector = MemoryConnector(self.accept)
        client = aiohttp.ClientSession(connector=connector)
        self._clients.append(client)
        socket = await client.ws_connect(
            "http://fake/ws", headers={"x-tenant": tenant}, autoclose=False, max_msg_size=0
        )
        self._sockets.append(socket)
        return Peer(socket, self.connections[-1])

    def listen(self, room_name: str) -> None:
        """Keep what Sayna says in a room in `heard`."""
        room = self.state.rooms.get(room_name)
        assert room is not None

        def hear(event: RoomEvent) -> None:
            if isinstance(event, AgentAudio):
                self.heard.append(event.pcm)

        room.subscribe(hear)

    async def until(self, kind: str, count: int = 1) -> None:
        """Wait for so many entries of a kind."""
        while len(self.entries(kind)) < count:
            start = len(self.journal.entries)
            await asyncio.wrap_future(self.journal.first(lambda e: e.kind == kind, start=start))

    def entries(self, kind: str) -> list[Entry]:
        return [entry for entry in self.journal if entry.kind == kind]

    async def close(self) -> None:
        for socket in self._sockets:
            await socket.close()
        for client in self._clients:
            await client.close()
        for connection in self.connections:
            connection.abort()
        await asyncio.sleep(0.01)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.close()


@pytest.fixture
async def make_bench() -> AsyncIterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(**settings: Any) -> Bench:
        benches.append(Bench(ServerSettings(**settings)))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.close()

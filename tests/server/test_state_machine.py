"""Rooms, hooks, calls and sessions in any order: REST shows what a model of them says."""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

import aiohttp
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.rooms import Participant

T = TypeVar("T")
NAMES = st.sampled_from(["red", "blue"])
GUESTS = st.sampled_from(["ann", "bob"])
HOSTS = st.sampled_from(["one.example", "Two.example"])
AGENT = "sayna-ai"
CALLEE = "callee"


class Server(RuleBasedStateMachine):
    """`rooms` holds who is where, `sessions` the sockets, `hooks` urls by host."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: dict[str, set[str]] = {}
        self.sessions: dict[str, aiohttp.ClientWebSocketResponse] = {}
        self.recorded: set[str] = set()
        self.hooks: dict[str, str] = {}
        self.exits = ExitStack()
        self.exits.enter_context(virtual_time())
        self.server = self.exits.enter_context(FakeSaynaServer())
        self.runner = self.exits.enter_context(asyncio.Runner())
        self.http = self.run(self.open_http())
        self.exits.callback(lambda: self.run(self.http.close()))

    def run(self, act: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(act)

    async def open_http(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(self.server.url, connector=self.server.connector())

    def ask(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """The JSON of an answer, after whatever follows it has happened."""

        async def exchange() -> Any:
            async with self.http.request(method, path, json=body) as response:
                assert response.status == status, await response.text()
                answered = await response.json()
            await asyncio.sleep(1)
            return answered

        return self.run(exchange())

    def left(self, room: str, identity: str) -> None:
        """A participant who leaves ends the session of the room, and that deletes the room."""
        self.rooms[room].discard(identity)
        if room in self.sessions and identity != AGENT:
            self.ended(room)

    def ended(self, room: str) -> None:
        """The server cleans up once the client has closed its side."""

        async def close() -> None:
            await self.sessions.pop(room).close()
            await asyncio.sleep(1)

        self.run(close())
        self.recorded.add(room)
        del self.rooms[room]

    @rule(room=NAMES)
    def session_joins(self, room: str) -> None:
        async def connect() -> aiohttp.ClientWebSocketResponse:
            socket = await self.http.ws_connect("/ws", autoclose=False)
            livekit = {"room_name": room, "enable_recording": True}
            await socket.send_json(
                {"type": "config", "stream_id": room, "audio": False, "livekit": livekit}
            )
            ready = await socket.receive_json()
            assert ready["livekit_room_name"] == room
            return socket

        if room not in self.sessions:
            self.sessions[room] = self.run(connect())
            self.rooms.setdefault(room, set()).add(AGENT)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def session_ends(self, data: st.DataObject) -> None:
        self.ended(data.draw(st.sampled_from(sorted(self.sessions))))

    @rule(room=NAMES, guest=GUESTS)
    def guest_joins(self, room: str, guest: str) -> None:
        found = self.server.rooms.get(room)
        assert (found is not None) == (room in self.rooms)
        if found is not None and guest not in self.rooms[room]:
            found.join(Participant(guest))
            self.rooms[room].add(guest)

    @rule(room=NAMES, identity=GUESTS | st.just(AGENT) | st.just(CALLEE))
    def participant_is_removed(self, room: str, identity: str) -> None:
        present = identity in self.rooms.get(room, set())
        asked = {"room_name": room, "participant_identity": identity}
        self.ask("DELETE", "/livekit/participant", asked, status=200 if present else 404)
        if present:
            self.left(room, identity)

    @rule(room=NAMES)
    def number_is_called(self, room: str) -> None:
        if CALLEE not in self.rooms.get(room, set()):
            asked = {
                "room_name": room,
                "participant_name": "Cal",
                "participant_identity": CALLEE,
                "from_phone_number": "+1",
                "to_phone_number": "+2",
            }
            assert self.ask("POST", "/sip/call", asked)["status"] == "initiated"
            self.rooms.setdefault(room, set()).add(CALLEE)

    @rule(room=NAMES)
    def callee_is_transferred(self, room: str) -> None:
        present = CALLEE in self.rooms.get(room, set())
        asked = {"room_name": room, "participant_identity": CALLEE, "transfer_to": "+3"}
        self.ask("POST", "/sip/transfer", asked, status=200 if present else 404)
        if present:
            self.left(room, CALLEE)

    @rule(host=HOSTS, url=st.sampled_from(["https://a", "https://b"]))
    def hook_is_added(self, host: str, url: str) -> None:
        self.ask("POST", "/sip/hooks", {"hooks": [{"host": host, "url": url, "auth_id": ""}]})
        self.hooks[host.lower()] = url

    @rule(host=HOSTS)
    def hook_is_removed(self, host: str) -> None:
        self.ask("DELETE", "/sip/hooks", {"hosts": [host]})
        self.hooks.pop(host.lower(), None)

    @invariant()
    def rooms_are_those_of_the_model(self) -> None:
        listed = self.ask("GET", "/livekit/rooms")["rooms"]
        counted = {room["name"]: room["num_participants"] for room in listed}
        assert counted == {name: len(inside) for name, inside in self.rooms.items()}
        for name, inside in self.rooms.items():
            shown = self.ask("GET", f"/livekit/rooms/{name}")
            assert {guest["identity"] for guest in shown["participants"]} == inside
            assert shown["active_recording"] == (name in self.sessions)

    @invariant()
    def hooks_are_those_of_the_model(self) -> None:
        listed = self.ask("GET", "/sip/hooks")["hooks"]
        assert {hook["host"]: hook["url"] for hook in listed} == self.hooks

    @invariant()
    def ended_sessions_have_recordings(self) -> None:
        assert all(self.server.recordings.get(room) is not None for room in self.recorded)

    def teardown(self) -> None:
        for room in sorted(self.sessions):
            self.ended(room)
        self.exits.close()


TestServer = Server.TestCase
TestServer.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)

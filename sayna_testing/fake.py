"""The fake server as a whole: one object to start, reach, drive and look into."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import aiohttp

from sayna_client import origins
from sayna_testing import clock
from sayna_testing.calls.caller import Caller
from sayna_testing.calls.people import PlainCaller, RoomCaller
from sayna_testing.calls.telephone import Dialled, telephone
from sayna_testing.calls.world import World
from sayna_testing.delivery import Target
from sayna_testing.expectations import ExpectationError, failure, only_ours
from sayna_testing.scripts import Fault, Outcome, Script, load
from sayna_testing.scripts.faults import happen
from sayna_testing.scripts.staging import Agent, perform
from sayna_testing.server.allowed import AllowedErrors
from sayna_testing.server.app import App, Door
from sayna_testing.server.awaiting import until
from sayna_testing.server.background import BackgroundLoop
from sayna_testing.server.far_end import FarEnd
from sayna_testing.server.far_end import Outcome as FarOutcome
from sayna_testing.server.faults import Faults
from sayna_testing.server.http_connection import HttpConnection
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.livekit import LiveKit
from sayna_testing.server.memory import MemoryConnector
from sayna_testing.server.phone import tel_uri
from sayna_testing.server.posting import post
from sayna_testing.server.recordings import Recordings
from sayna_testing.server.rest import (
    Headers,
    Limits,
    Posted,
    PostError,
    Request,
    Response,
    Upgrade,
    answer,
)
from sayna_testing.server.room_journal import note_rooms
from sayna_testing.server.rooms import CallAnswered, Participant, RoomEvent, Rooms
from sayna_testing.server.session import DEFAULT_TIMEOUT, Session
from sayna_testing.server.settings import ServerSettings, SipHook
from sayna_testing.server.state import ServerState
from sayna_testing.server.tcp import TcpListener
from sayna_testing.server.voices import Voice
from sayna_testing.server.ws.connection import Connection
from sayna_testing.server.ws.socket import Socket

__tracebackhide__ = only_ours

T = TypeVar("T")
_names = itertools.count(1)


class FakeSaynaServer:
    """A Sayna server in this process: no start-up, no port until somebody asks for one.

    A `SaynaClient` of the same process reaches it over an in-memory transport
    (`transport="tcp"` turns that off); everybody else reaches `url` over TCP on 127.0.0.1.
    """

    def __init__(
        self,
        settings: ServerSettings | None = None,
        *,
        transport: Literal["memory", "tcp"] = "memory",
    ) -> None:
        if transport not in ("memory", "tcp"):
            raise ValueError(f'transport: expected "memory" or "tcp", got "{transport}"')
        self.settings = settings if settings is not None else ServerSettings()
        self.journal = Journal()
        self.allow_errors = AllowedErrors(self.journal)
        """`with server.allow_errors():` for errors that the test provokes on purpose."""
        self._transport = transport
        self._state = ServerState(self.settings)
        self._lock = threading.RLock()
        self._listener: TcpListener | None = None
        self._url: str | None = None
        self._connectors: list[MemoryConnector] = []
        self._sessions: list[Session] = []
        self._claimed: set[str] = set()
        self._callees: dict[str, RoomCaller] = {}
        self._numbers = itertools.count(1)
        self._runner = BackgroundLoop()
        self._exit = contextlib.ExitStack()
        self._open = False

    def __enter__(self) -> Self:
        if self._open:
            raise RuntimeError("this server is running already")
        self._open = True
        self._exit.enter_context(clock.steady())
        self._exit.callback(clock.add_probe(self._owes))
        self._watch_rooms()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FakeSaynaServer {self._url or '(no address asked for yet)'}>"

    def close(self) -> None:
        """End every session, free the port; harmless when done twice."""
        self._open = False
        if self._listener is not None:
            self._listener.close()
        for connector in self._connectors:
            connector.abort_all()
        self._state.close()
        self._runner.stop()
        self._exit.close()

    # Where it is

    @property
    def url(self) -> str:
        """The address, `http://127.0.0.1:PORT`; asking for it opens the port.

        Where sockets are blocked it is an address that only works in this process.
        """
        with self._lock:
            if self._url is None:
                self._url = self._listen()
            return self._url

    @property
    def ws_url(self) -> str:
        """The address of the WebSocket, `ws://127.0.0.1:PORT/ws`."""
        return f"ws{self.url.removeprefix('http')}/ws"

    async def listen(self, port: int = 0, *, door: Door | None = None) -> None:
        """Serve `url` from the running loop, on a port of one's own choice (0: any free one).

        For a process that does nothing but serve. `door` may answer requests before the rules do.
        Raises OSError when the port cannot be had, RuntimeError when there is an address already.
        """
        if self._url is not None:
            raise RuntimeError(f"this server listens already, on {self._url}")
        self._app.door = door
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(self._app.accept, "127.0.0.1", port, backlog=1024)
        self._exit.callback(listening.close)
        self._url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"

    @property
    def connectors(self) -> tuple[MemoryConnector, ...]:
        """One for each client that came in memory, closed ones included."""
        return tuple(self._connectors)

    def connector(self) -> aiohttp.BaseConnector:
        """A connector for an aiohttp session of your own that reaches this server in memory."""
        connector = MemoryConnector(self._app.accept)
        self._connectors.append(connector)
        return connector

    def _listen(self) -> str:
        if not self._open:
            raise RuntimeError('the server is not running; use "with FakeSaynaServer() as server:"')
        try:
            self._listener = TcpListener(self._app.accept)
            host, port = self._listener.host, self._listener.port
        except (OSError, RuntimeError):
            if self._transport == "tcp":
                raise
            host, port = f"sayna-{next(_names)}.invalid", 80
        if self._transport == "memory":
            self._exit.callback(origins.register_origin(host, port, self.connector))
        return f"http://{host}:{port}" if port != 80 else f"http://{host}"

    # What it saw

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session so far, in order of arrival, ended ones included."""
        return tuple(self._sessions)

    @property
    def requests(self) -> tuple[Entry, ...]:
        """Every REST exchange so far."""
        return tuple(entry for entry in self.journal if entry.kind == "http")

    @property
    def state(self) -> ServerState:
        """All that the rules of this server read, with the doors that make its providers fail."""
        return self._state

    @property
    def faults(self) -> Faults:
        """What is to go wrong: plan faults here; those not used up are its `unused`."""
        return self._state.faults

    @property
    def rooms(self) -> Rooms:
        """The rooms of the LiveKit server behind this one."""
        return self._state.rooms

    @property
    def livekit(self) -> LiveKit:
        """LiveKit's server API behind this one, which can be told to refuse calls."""
        return self._state.livekit

    @property
    def hooks(self) -> list[SipHook]:
        """The SIP hooks in force."""
        return self._state.hooks.listed()

    @property
    def recordings(self) -> Recordings:
        """The recordings of ended sessions, by stream id."""
        return self._state.recordings

    @property
    def voices(self) -> Mapping[str, list[Voice]]:
        """What `GET /voices` tells, by provider; may be replaced."""
        return self._state.voices

    @voices.setter
    def voices(self, voices: Mapping[str, list[Voice]]) -> None:
        self._state.voices = voices

    async def wait_for_session(self, *, timeout: float = DEFAULT_TIMEOUT) -> Session:
        """The next session that became ready, in order of arrival, each handed out once.

        `timeout` is in seconds of the test's clock. Raises ExpectationError when none came.
        """
        words = f"a ready session within {timeout:g} s"
        entry = await until(
            self.journal,
            lambda e: e.kind == "ready" and e.flow == "<" and e.session not in self._claimed,
            expected=words,
            timeout=timeout,
            unmet=lambda: failure(words, self.journal),
        )
        self._claimed.add(entry.session)
        return next(session for session in self.sessions if session.key == entry.session)

    # Driving it

    def call(
        self,
        *,
        from_: str = "+447700900123",
        to: str = "+442079460000",
        webhook: Target | None = None,
        path: str | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        wpm: float = 160,
    ) -> contextlib.AbstractAsyncContextManager[RoomCaller]:
        """Call an agent by telephone: `async with server.call(webhook=app) as caller:`.

        `webhook` is an ASGI application, an aiohttp application or a URL, `path` its route if there
        are several; without it the hook registered for the SIP host is used. `to` is a number or a
        `sip:` URI, `headers` are more SIP headers. Entered once the webhook was answered with 2xx
        and a session joined the room, both within 5 s; else ExpectationError. Leaving hangs up.
        """
        dialled = Dialled(from_number=from_, to=to, name=name, headers=headers or {})
        return telephone(self._world, dialled, webhook, path=path, wpm=wpm)

    def caller(self, session: Session, *, wpm: float = 160) -> PlainCaller:
        """The user at the other end of a session that has no room."""
        return PlainCaller(session, self.journal, wpm=wpm)

    def join(self, room: str, identity: str, *, name: str = "", wpm: float = 160) -> RoomCaller:
        """Let a participant join a room by browser; the room is made if there is none.

        It publishes a microphone; `hangs_up` leaves.
        """
        found = self._state.rooms.create(room)
        participant = Participant(identity, name)
        found.join(participant)
        found.publish_track(identity)
        return RoomCaller(found, participant, self.journal, lambda: self.sessions, wpm=wpm)

    async def play(self, script: Script | str | Path, agent: Agent | None = None) -> Outcome:
        """Play the other side of a script, or of the one in a file.

        `agent` is run meanwhile: a callable that takes the address, or what answers the webhook of
        a call (ASGI or aiohttp application, URL). Without it the agent is running already. Raises
        ExpectationError for the turn that fails, ScriptError for a script that cannot be used.
        """
        outcome = await self.try_play(script, agent)
        outcome.check()
        return outcome

    async def try_play(self, script: Script | str | Path, agent: Agent | None = None) -> Outcome:
        """Like `play`, but a turn that fails is told by the outcome alone."""
        loaded = script if isinstance(script, Script) else load(script)
        faulty = any(turn.fault for turn in loaded.turns)
        with self.allow_errors() if faulty else contextlib.nullcontext():
            return await perform(_Stage(self), loaded, agent)

    @functools.cached_property
    def _app(self) -> App:
        """Made for the first client: it refers back here, so refcounts alone never free it."""
        return App(self._answer, self._serve, self.journal, lambda: self._state.faults)

    @property
    def _world(self) -> World:
        return World(self._state, self.journal, lambda: self.sessions)

    def answers(
        self,
        to: str,
        *,
        outcome: FarOutcome = "answers",
        after: float = 0.0,
    ) -> None:
        """Say who picks up a number that is called or transferred to (rest.md 14.2, 14.3).

        `after` so many seconds of ringing it `answers` or is `busy`; `no answer` rings for 30 s.
        Numbers nobody was set up for answer at once. Raises ValueError for what is no phone
        number, and for a negative `after`.
        """
        self._state.far_ends[tel_uri(to)] = FarEnd(outcome=outcome, after=after)

    async def wait_for_callee(self, to: str, *, timeout: float = DEFAULT_TIMEOUT) -> RoomCaller:
        """Who picked up this number when Sayna called it, each call handed out once.

        The callee speaks and listens like a caller. `timeout` is in seconds of the test's clock.
        Raises ExpectationError when nobody picked up, ValueError for what is no phone number.
        """
        number = tel_uri(to).removeprefix("tel:")
        words = f"{number} to be called and to answer within {timeout:g} s"
        entry = await until(
            self.journal,
            lambda e: (
                e.kind == "call_answered"
                and e.data["to"] == number
                and e.data["sid"] not in self._claimed
            ),
            expected=words,
            timeout=timeout,
            unmet=lambda: failure(words, self.journal),
        )
        self._claimed.add(entry.data["sid"])
        return self._callees[entry.data["sid"]]

    def reset(self) -> None:
        """Begin again at the same address: sessions are cut, all that is known is forgotten.

        May be called from any thread; waits go on waiting.
        """
        with self._lock:
            for session in self._sessions:
                session.cut()
            self._state.close()
            self._state = ServerState(self.settings)
            self._watch_rooms()
            self._sessions.clear()
            self._claimed.clear()
            self._callees.clear()
            self._numbers = itertools.count(1)
            self.journal.clear()
            self.allow_errors.clear()

    def run(self, act: Coroutine[Any, Any, T], *, timeout: float = DEFAULT_TIMEOUT) -> T:
        """Run a wait or an act from code that cannot await, in any thread.

        `timeout` is in seconds. Raises TimeoutError, or what the act raises.
        """
        return self._runner.run(act, timeout)

    # Shells around the rules

    def _watch_rooms(self) -> None:
        for listener in (self._meet, note_rooms(self.journal)):
            self._exit.callback(self._state.rooms.subscribe(listener))

    def _meet(self, event: RoomEvent) -> None:
        """Get to know who picks up, before the journal tells who waits."""
        if isinstance(event, CallAnswered):
            callee = event.participant
            self._callees[callee.sid] = RoomCaller(
                event.room, callee, self.journal, lambda: self.sessions
            )

    async def _answer(self, request: Request) -> Response | Upgrade:
        return await answer(self._state, request, post=self._post)

    async def _post(self, url: str, headers: Headers, body: bytes, limits: Limits) -> Posted:
        """Send something elsewhere; webhooks of calls go into the journal."""
        event_id = dict(headers).get("x-sayna-event-id")
        if event_id is None:
            return await post(url, headers, body, limits)
        facts: dict[str, Any] = {"url": url, "event_id": event_id, **json.loads(body)}
        try:
            posted = await post(url, headers, body, limits)
        except PostError as problem:
            self.journal.record(
                "webhook", flow="*", data={**facts, "error": str(problem)}, error=True
            )
            raise
        data, refused = {**facts, "status": posted.status}, not 200 <= posted.status < 300
        self.journal.record("webhook", flow="*", data=data, error=refused)
        return posted

    async def _serve(self, upgrade: Upgrade, connection: HttpConnection) -> None:
        with self._lock:
            key = f"ws-{next(self._numbers)}"
            socket = Socket(connection, upgrade.key)
            served = Connection(self._state, self.journal, socket, key=key, auth_id=upgrade.auth_id)
            self._sessions.append(Session(served, self.journal))
        await served.serve()

    def _owes(self, loop: asyncio.AbstractEventLoop) -> str | None:
        """Sessions in other loops go on at real speed; virtual time must wait for them."""
        for session in self._sessions:
            if not session.closed and session.loop is not loop:
                return f"session {session.key} in another loop"
        return None


class _Stage:
    """A server as scripts see it."""

    def __init__(self, server: FakeSaynaServer) -> None:
        self._server = server
        self.url = server.url
        self.wait_for_session = server.wait_for_session
        self.caller = server.caller
        self.call = server.call

    async def fault(self, caller: Caller, fault: Fault) -> None:
        """Let something go wrong for a caller."""
        await happen(self._server, caller.session, fault.name, fault.options)

    async def next_caller(self, caller: Caller) -> PlainCaller:
        """The same person in the session that follows a lost one; raises ExpectationError."""
        if not isinstance(caller, PlainCaller):
            raise ExpectationError(
                "a call ends with its session (websocket.md 9.4): only a plain one can reconnect"
            )
        session = await self._server.wait_for_session()
        return self._server.caller(session, wpm=caller.wpm)

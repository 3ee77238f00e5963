"""Who can be at the other end: of a plain session, in a room, on the telephone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

from sayna_testing.calls.caller import Caller
from sayna_testing.calls.line import DEFAULT_RATE, Line
from sayna_testing.calls.speech import Manner, spoken
from sayna_testing.expectations import ExpectationError, only_ours
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.recordings import SAMPLE_RATE
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.session import DEFAULT_TIMEOUT, Session

__tracebackhide__ = only_ours


class PlainCaller(Caller):
    """The user of a client that speaks and listens over its WebSocket."""

    def __init__(self, session: Session, journal: Journal, *, wpm: float = 160) -> None:
        super().__init__(Line.plain(session, journal), wpm=wpm)
        self._session = session

    @property
    def session(self) -> Session:
        """The session at the other end."""
        return self._session

    async def hangs_up(self) -> None:
        """End the session: a Close without a code."""
        await self.session.close()
        await self.session.wait_for_close()

    async def hung_up(self, *, within: float = DEFAULT_TIMEOUT) -> None:
        """Wait for the end of the session; raises ExpectationError when it goes on."""
        await self.session.wait_for_close(timeout=within)

    async def _recognised(
        self, text: str, *, is_final: bool, is_speech_final: bool, confidence: float
    ) -> str | None:
        return await self.session.recognised(
            text, is_final=is_final, is_speech_final=is_speech_final, confidence=confidence
        )

    async def sends(
        self, message: str | bytes, topic: str | None = None, *, sender: str | None = None
    ) -> None:
        """Raise ExpectationError: there is no room."""
        raise ExpectationError(_NO_ROOM)

    async def others(self, *, joins: str | None = None, leaves: str | None = None) -> None:
        """Raise ExpectationError: there is no room."""
        raise ExpectationError(_NO_ROOM)

    def _sounds(self, text: str, manner: Manner) -> None:
        """Nobody listens to the sound: the agent is given what a recogniser makes of it."""

    def _concerns(self, entry: Entry) -> bool:
        return entry.session == self.session.key


_NO_ROOM = "messages and participants need a room, and this session has none: play it as a call"


class SampleRateWarning(UserWarning):
    """Speech recognition was told another sample rate than it is fed (websocket.md 9.2)."""


class RoomCaller(Caller):
    """Somebody in a room, by telephone or browser; hears Sayna's track, is heard by sessions."""

    def __init__(
        self,
        room: Room,
        participant: Participant,
        journal: Journal,
        sessions: Callable[[], Sequence[Session]],
        *,
        wpm: float = 160,
    ) -> None:
        super().__init__(Line.in_room(room.name, journal), wpm=wpm)
        self.room = room
        self.participant = participant
        self._sessions = sessions
        self._arrival = len(journal)
        self._checked: set[str] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity!r} in {self.room.name!r}>"

    @property
    def identity(self) -> str:
        """Who this is in the room."""
        return self.participant.identity

    @property
    def present(self) -> bool:
        """Whether it is in the room."""
        return self.room.participants.get(self.identity) is self.participant

    @property
    def session(self) -> Session:
        """The agent's session in this room, the latest if there were several.

        Raises LookupError while there is none.
        """
        if not self.sessions:
            raise LookupError(f"no agent is in the room {self.room.name!r}")
        return self.sessions[-1]

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The agents' sessions in this room, ended ones included."""
        return tuple(session for session in self._sessions() if session.room is self.room)

    async def sends(
        self, message: str | bytes, topic: str | None = None, *, sender: str | None = None
    ) -> None:
        """Send a data message to the room (websocket.md 5.3), as somebody else if asked to."""
        payload = message.encode() if isinstance(message, str) else message
        self.room.send_data(sender or self.identity, payload, topic)

    async def others(self, *, joins: str | None = None, leaves: str | None = None) -> None:
        """Let somebody else come to the room or leave it."""
        if joins is not None:
            self.room.join(Participant(joins))
        if leaves is not None:
            self.room.leave(leaves)

    async def hangs_up(self) -> None:
        """Leave the room; Sayna then closes the agent's session (websocket.md 9.4)."""
        self.room.leave(self.identity)

    async def hung_up(self, *, within: float = DEFAULT_TIMEOUT) -> None:
        """Wait until the agent has ended the call; raises ExpectationError when it has not."""
        await self.sees(
            self._is_my_end, expected="the agent to hang up", within=within, start=self._arrival
        )

    def _sounds(self, text: str, manner: Manner) -> None:
        """Recordings hear the sound; the agent is given what a recogniser makes of it."""
        if not self.room.recorders:
            return
        sound = spoken(text, manner, SAMPLE_RATE)
        for recorder in self.room.recorders:
            recorder.hear(self.identity, sound, SAMPLE_RATE)

    def _is_my_end(self, entry: Entry) -> bool:
        if entry.data.get("room") != self.room.name:
            return False
        return entry.kind == "room_deleted" or (
            entry.kind == "participant_left" and entry.data["identity"] == self.identity
        )

    async def _recognised(
        self, text: str, *, is_final: bool, is_speech_final: bool, confidence: float
    ) -> str | None:
        for session in self.sessions:
            self._check_rates(session)
        reasons = [
            await session.recognised(
                text, is_final=is_final, is_speech_final=is_speech_final, confidence=confidence
            )
            for session in self.sessions
            if not session.closed and self._is_heard_by(session)
        ]
        if not reasons:
            return f"no session listens to {self.identity!r}"
        return None if None in reasons else reasons[0]

    def _check_rates(self, session: Session) -> None:
        """Room audio comes at the rate of speech, whatever recognition was told (9.2)."""
        if session.key in self._checked or not session.config["audio"]:
            return
        self._checked.add(session.key)
        told = session.config["stt_config"]["sample_rate"]
        fed = session.config["tts_config"]["sample_rate"] or DEFAULT_RATE
        if told == fed:
            return
        words = f"stt_config says {told} Hz, but the room feeds {fed} Hz"
        self.journal.record(
            "warning", flow="*", session=session.key, data={"message": words}, error=True
        )
        why = "the rate of tts_config: a real recogniser would understand nothing"
        warnings.warn(SampleRateWarning(f"{words}, {why}"), stacklevel=1)

    def _is_heard_by(self, session: Session) -> bool:
        """Audio sessions hear everybody, or whom they listen to (websocket.md 9.1, 9.3)."""
        listened_to = session.config["livekit"]["listen_participants"]
        return session.config["audio"] and (not listened_to or self.identity in listened_to)

    def _concerns(self, entry: Entry) -> bool:
        if entry.session:
            return any(session.key == entry.session for session in self.sessions)
        return entry.data.get("room") in (self.room.name, None)

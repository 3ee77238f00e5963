"""Sayna in a LiveKit room: what happens there becomes frames (websocket.md 9)."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sayna_testing.server.recordings import Recorder
from sayna_testing.server.rooms import (
    DataReceived,
    Participant,
    ParticipantAudio,
    ParticipantJoined,
    ParticipantLeft,
    Room,
    RoomDeleted,
    RoomEvent,
    Track,
    TrackPublished,
)
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.loading import Clip
from sayna_testing.server.ws.outbox import Outbox
from sayna_testing.server.ws.room_loop import Loading
from sayna_testing.server.ws.voice import Voice

GOODBYE = 0.1
"""Seconds from a participant's leaving to the Close (9.4)."""


class RoomLink:
    """One join of Sayna's; it lives until the socket ends, also behind a later config (4.2.7)."""

    def __init__(
        self,
        room: Room,
        config: Mapping[str, Any],
        outbox: Outbox,
        voice: Voice | None,
        close: Callable[[], None],
        *,
        recorder: Recorder | None = None,
        clip: Clip | None = None,
    ) -> None:
        self.room = room
        self.clip = clip
        self._recorder = recorder
        self._me = Participant(
            config["sayna_participant_identity"], config["sayna_participant_name"], kind="AGENT"
        )
        self._loading = None if clip is None else Loading(room, self._me.identity, clip)
        self._listen = frozenset(config["listen_participants"])
        self._outbox = outbox
        self._voice = voice
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._goodbye: asyncio.TimerHandle | None = None
        self._out = False
        self._unsubscribe: Callable[[], None] = lambda: None

    @property
    def identity(self) -> str:
        """Who Sayna is in the room."""
        return self._me.identity

    @property
    def connected(self) -> bool:
        """Whether Sayna is in the room."""
        return self.room.participants.get(self._me.identity) is self._me

    def join(self) -> None:
        """Join, publish the track of an audio session, and see the tracks that are there."""
        present = [p for p in self.room.present() if not self._is_me(p)]
        self._unsubscribe = self.room.subscribe(self._hop)
        self.room.join(self._me)
        if self._voice is None:
            return
        self.room.publish_track(self._me.identity, "audio", name="tts-audio")
        for participant in present:
            for track in participant.tracks:
                self._subscribed(participant, track)

    def send(self, payload: bytes, topic: str) -> None:
        """Publish a data packet as Sayna."""
        self.room.send_data(self._me.identity, payload, topic)

    def start_loading(self) -> None:
        """Loop the clip in the room; out of the room it is accepted without effect (9.3)."""
        if self._loading is not None and self.connected:
            self._loading.start()

    def stop_loading(self) -> None:
        """Fade the loop out."""
        if self._loading is not None:
            self._loading.stop()

    def leave(self) -> None:
        """Leave the room and stop its recording."""
        self.stop()
        if self.connected:
            self.room.leave(self._me.identity)
        if self._recorder is not None:
            self._recorder.stop()

    def stop(self) -> None:
        """Hear nothing more of the room; an older one is neither left nor its recording stopped."""
        self._unsubscribe()
        if self._goodbye is not None:
            self._goodbye.cancel()
        if self._loading is not None:
            self._loading.stop(fade=0)

    def _hop(self, event: RoomEvent) -> None:
        """Take an event of any thread into the loop of the session."""
        if asyncio._get_running_loop() is self._loop:  # get_running_loop, but None outside of one
            self._loop.call_soon(self._take, event)
            return
        with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: RoomEvent) -> None:
        if not self._out:
            self._on_event(event)

    def _on_event(self, event: RoomEvent) -> None:
        match event:
            case ParticipantJoined(_, participant) if not self._is_me(participant):
                self._post("connected", participant)
            case ParticipantLeft(_, participant) if not self._is_me(participant):
                self._post("disconnected", participant)
                if self._goodbye is None:
                    self._goodbye = self._loop.call_later(GOODBYE, self._close)
            case ParticipantLeft() | RoomDeleted() if not self.connected:
                self._lost()
            case TrackPublished(_, participant, track) if not self._is_me(participant):
                self._subscribed(participant, track)
            case DataReceived(_, sender, payload, topic) if not self._is_me(sender):
                self._on_data(sender, payload, topic)
            case ParticipantAudio(_, participant, pcm, sample_rate) if self._voice is not None:
                self._on_audio(self._voice, participant, pcm, sample_rate)
            case _:
                pass

    def _post(self, event: str, participant: Participant) -> None:
        self._outbox.post(
            messages.participant(event, participant.identity, participant.name, self.room.name)
        )

    def _lost(self) -> None:
        """Sayna itself is out: nothing is said or heard, speech goes to the socket (9.3)."""
        self._out = True
        self._unsubscribe()
        if self._loading is not None:
            self._loading.stop(fade=0)
        if self._voice is not None and self._voice.speaker.track is not None:
            self._voice.speaker.track.connected = False

    def _subscribed(self, participant: Participant, track: Track) -> None:
        if self._voice is not None:
            self._outbox.post(
                messages.track_subscribed(
                    participant.identity, participant.name, track.kind, track.sid, self.room.name
                )
            )

    def _on_data(self, sender: Participant | None, payload: bytes, topic: str | None) -> None:
        """A sender who never joined is the server to Sayna, and always heard (5.3)."""
        identity = sender.identity if sender is not None and sender.sid else None
        if identity is None or self._hears(identity):
            self._outbox.post(messages.room_message(payload, identity, topic))

    def _on_audio(
        self, voice: Voice, participant: Participant, pcm: bytes, sample_rate: int
    ) -> None:
        if self._is_me(participant) or not self._hears(participant.identity):
            return
        if error := voice.hear_room(participant.identity, pcm, sample_rate):
            self._outbox.post(messages.error(error))

    def _is_me(self, participant: Participant | None) -> bool:
        """Also an older join under the same identity, which LiveKit puts out without a word."""
        return participant is not None and participant.identity == self._me.identity

    def _hears(self, identity: str) -> bool:
        return not self._listen or identity in self._listen

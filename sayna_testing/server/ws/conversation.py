"""What a session knows and does: the messages of a client carried out (websocket.md 3, 4)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from sayna_testing.server.livekit import LiveKitError
from sayna_testing.server.phone import tel_uri
from sayna_testing.server.providers import Provider
from sayna_testing.server.recordings import Recorder
from sayna_testing.server.rooms import Participant, Room
from sayna_testing.server.rust_text import json_text
from sayna_testing.server.state import ServerState
from sayna_testing.server.telephony import transfer
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.access import check_token, ensure_room, enter_room, find_caller
from sayna_testing.server.ws.listener import Dropped
from sayna_testing.server.ws.loading import NOT_USABLE, Clip, ClipError, decode_clip
from sayna_testing.server.ws.messages import Fields
from sayna_testing.server.ws.outbox import Outbox
from sayna_testing.server.ws.refusals import (
    UNANSWERED_LINKS,
    Refused,
    choose_providers,
    link_refused,
    link_unanswered,
)
from sayna_testing.server.ws.room_link import RoomLink
from sayna_testing.server.ws.room_track import RoomTrack
from sayna_testing.server.ws.standing import Standing
from sayna_testing.server.ws.voice import Voice

NOT_IN_ROOM = (
    'Failed to send message via LiveKit: InternalServerError("Not connected to LiveKit room")'
)

T = TypeVar("T")


class Conversation:
    """The state of one connection and the handlers of its messages, one at a time."""

    def __init__(
        self,
        state: ServerState,
        outbox: Outbox,
        *,
        session: str,
        auth_id: str,
        dropped: Dropped,
        close: Callable[[], None],
        in_room: Callable[[list[bytes]], list[bytes]],
    ) -> None:
        self.config: dict[str, Any] | None = None
        self.voice: Voice | None = None
        self.link: RoomLink | None = None
        self._state = state
        self._outbox = outbox
        self._auth_id = auth_id
        self._session = session
        self._dropped = dropped
        self._close = close
        self._in_room = in_room
        self._clip_fault: str | None = None
        self._voices: list[Voice] = []
        self._links: list[RoomLink] = []
        self._handlers: Mapping[str, Callable[[Fields], Awaitable[None]]] = {
            "config": self._configure,
            "speak": self._speak,
            "clear": self._clear,
            "send_message": self._send_message,
            "sip_transfer": self._sip_transfer,
            "update_config": self._ignore,
            "loading_start": self._start_loading,
            "loading_stop": self._stop_loading,
        }

    @property
    def standing(self) -> Standing:
        """The state as the rules see it."""
        settings = self._state.settings
        return Standing(
            audio=self.config is not None and self.config["audio"],
            configured=self.config is not None,
            voice=self.voice is not None,
            interruptible=self.voice is None or self.voice.speaker.interruptible,
            room=self.link is not None,
            sip=settings.sip is not None and settings.livekit is not None,
            clip=self.link is not None and self.link.clip is not None,
            clip_fault=self._clip_fault,
            vad=settings.stt_vad,
        )

    async def handle(self, kind: str, fields: Fields) -> None:
        """Carry out a message that the rules let through."""
        await self._handlers[kind](fields)

    async def hear(self, audio: bytes) -> None:
        """Take a binary frame that the rules let through."""
        error = _present(self.voice).hear(audio)
        if error is not None:
            await self._outbox.send(messages.error(error))

    async def _ignore(self, _fields: Fields) -> None:
        """Accepted without effect."""

    async def _configure(self, fields: Fields) -> None:
        """Run a config to its `ready` or its first failure (4.2.5)."""
        stream_id: str = fields["stream_id"]
        if fields["stream_id"] is None:
            stream_id = self._state.ids.uuid()
        self.config = {"type": "config", **fields, "stream_id": stream_id}
        clip = await self._take_clip(fields)
        try:
            voice = await self._start_voice(fields) if fields["audio"] else None
            if fields["livekit"] is not None:
                await self._join(fields["livekit"], voice, stream_id, clip)
        except Refused as refused:
            await self._outbox.send(messages.error(str(refused)))
            return
        url = self._state.settings.livekit_public_url
        await self._outbox.send(messages.ready(stream_id, url, fields["livekit"]))

    async def _take_clip(self, fields: Fields) -> Clip | None:
        """Decode the loading clip; a bad one never stops the config (10.1)."""
        self._clip_fault = None
        if fields["loading_audio"] is None:
            return None
        if not fields["audio"] or fields["livekit"] is None:
            await self._outbox.send(messages.error(NOT_USABLE))
            return None
        try:
            return decode_clip(fields["loading_audio"])
        except ClipError as error:
            self._clip_fault = str(error)
            await self._outbox.send(messages.error(str(error)))
            return None

    async def _start_voice(self, fields: Fields) -> Voice:
        settings = self._state.settings
        providers = choose_providers(settings, fields)
        await self._connect(providers.stt.provider)
        await asyncio.sleep(settings.tts_connect_latency)
        voice = Voice(self._state, fields, providers, self._outbox, self._dropped, self._session)
        if self.voice is not None and self.voice.speaker.track is None:
            self.voice.drop()
        self.voice = voice
        self._voices.append(voice)
        return voice

    async def _connect(self, provider: Provider) -> None:
        """Connect the recogniser; raises Refused (F5)."""
        latency = self._state.settings.stt_connect_latency
        unanswered = UNANSWERED_LINKS[provider]
        await asyncio.sleep(min(latency, unanswered.after))
        if latency > unanswered.after:
            raise link_unanswered(provider)
        if self._state.faults.link(self._session, provider):
            raise link_refused(provider)
        if provider in self._state.stt_refusals:
            self._state.stt_refusals.remove(provider)
            raise link_refused(provider)

    async def _join(
        self, livekit: Mapping[str, Any], voice: Voice | None, stream_id: str, clip: Clip | None
    ) -> None:
        room = ensure_room(self._state, livekit["room_name"], self._auth_id)
        check_token(livekit["room_name"], livekit["sayna_participant_identity"])
        recorder = self._record(room, stream_id) if livekit["enable_recording"] else None
        await asyncio.sleep(self._state.settings.livekit_connect_latency)
        enter_room(self._state, publishes=voice is not None)
        room = self._state.rooms.create(room.name)  # it may have been deleted meanwhile
        link = RoomLink(
            room, livekit, self._outbox, voice, self._close, recorder=recorder, clip=clip
        )
        link.join()
        if voice is not None:
            voice.speaker.track = RoomTrack(room, voice.tts_rate, self._in_room)
        self.link = link
        self._links.append(link)

    def _record(self, room: Room, stream_id: str) -> Recorder | None:
        """Start the recording; a failure is only logged by the real server (9.5)."""
        if not self._state.settings.recording:
            return None
        return self._state.recordings.start(stream_id, room, asyncio.get_running_loop().time)

    async def _speak(self, fields: Fields) -> None:
        await _present(self.voice).speaker.speak(
            fields["text"],
            flush=fields["flush"],
            allow_interruption=fields["allow_interruption"],
        )

    async def _clear(self, _fields: Fields) -> None:
        await _present(self.voice).speaker.clear()

    async def _send_message(self, fields: Fields) -> None:
        """Publish to everybody in the room (4.6)."""
        link = _present(self.link)
        if not link.connected:
            await self._outbox.send(messages.error(NOT_IN_ROOM))
            return
        payload = {key: fields[key] for key in ("message", "role", "debug")}
        link.send(json_text(payload).encode(), fields["topic"])

    async def _sip_transfer(self, fields: Fields) -> None:
        """Find the caller; the transfer itself runs in the background (4.7)."""
        link = _present(self.link)
        name = link.room.name
        try:
            caller = find_caller(self._state, name, self._auth_id, link.identity)
        except Refused as refused:
            await self._outbox.send(messages.sip_transfer_error(str(refused)))
            return
        self._state.spawn(self._transfer(name, caller, tel_uri(fields["transfer_to"])))

    async def _transfer(self, room_name: str, caller: Participant, number: str) -> None:
        try:
            await transfer(self._state, room_name, caller, number)
        except LiveKitError as error:
            text = f"SIP transfer failed: Connection failed: {error}"
            self._outbox.post(messages.sip_transfer_error(text))

    async def _start_loading(self, _fields: Fields) -> None:
        _present(self.link).start_loading()

    async def _stop_loading(self, _fields: Fields) -> None:
        if self.link is not None:
            self.link.stop_loading()

    def end(self) -> None:
        """Leave the room, stop the providers and the recording, delete the room (12)."""
        for voice in self._voices:
            voice.stop()
        for link in self._links:
            link.stop()
        if self.link is not None:
            self.link.leave()
            self._state.rooms.delete(self.link.room.name)


def _present(part: T | None) -> T:
    """A part of the session without which the rules let nothing through (`standing.judge`)."""
    assert part is not None
    return part

"""Planned faults on the frames of one session, carried out between queue and socket."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sayna_testing.server.fault_effects import (
    AudioCut,
    Closed,
    Delay,
    Dropped,
    Duplicated,
    FrameEffect,
    Oversize,
    RecogniserFails,
    Reset,
    Silent,
    Swapped,
    Truncated,
)
from sayna_testing.server.faults import Faults
from sayna_testing.server.ws.outbox import Outgoing
from sayna_testing.server.ws.wire import Opcode, close_payload, frame

Fails = Callable[[str], None]
Note = Callable[[FrameEffect, str], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """Write the bytes, then cut the connection."""

    data: bytes = b""


Step = Delay | Silent | Outgoing | Cut
"""What the shell does next: wait, fall silent, send a frame, or cut."""
_Replacing = Dropped | Duplicated | Swapped | Closed | AudioCut | RecogniserFails


class Mischief:
    """What becomes of each frame; `note` is told of every fault that hits."""

    def __init__(self, faults: Faults, session: str, note: Note, recogniser_fails: Fails) -> None:
        self._faults = faults
        self._session = session
        self._note = note
        self._recogniser_fails = recogniser_fails
        self._held: list[Outgoing] = []
        self._audio_left: int | None = None
        self._talking = asyncio.Event()
        self._talking.set()

    @property
    def idle(self) -> bool:
        """Whether frames go out as they are."""
        return self._faults.quiet and not self._held and self._audio_left is None

    @property
    def silent(self) -> bool:
        """Whether nothing is read, answered or sent."""
        return not self._talking.is_set()

    async def wait_while_silent(self) -> None:
        """Wait for the end of a silence."""
        await self._talking.wait()

    def talk(self) -> None:
        """End a silence, also because nobody is there any more."""
        self._talking.set()

    async def fall_silent(self, seconds: float | None) -> None:
        """Stop reading, answering and sending for so many seconds, None for ever."""
        self._talking.clear()
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self.talk)
        await self._talking.wait()

    def outgoing(self, outgoing: Outgoing) -> Iterator[Step]:
        """The steps that a queued frame becomes."""
        held, self._held = self._held, []
        lost = self._loses_audio(outgoing.kind, len(outgoing.payload))
        frames = [] if lost else [outgoing]
        for effect in self._faults.frame(self._session, "<", outgoing.kind):
            self._note(effect, outgoing.kind)
            match effect:
                case Delay() | Silent():
                    yield effect
                case Oversize(size):
                    yield Outgoing(Opcode.BINARY, bytes(size), "audio")
                case Truncated() | Reset():
                    whole = frame(outgoing.opcode, outgoing.payload)
                    yield Cut(whole[: len(whole) // 2] if effect == Truncated() else b"")
                case _:
                    frames = self._replaced(effect, outgoing, frames)
        yield from (*frames, *held)

    def _replaced(
        self, effect: _Replacing, outgoing: Outgoing, frames: list[Outgoing]
    ) -> list[Outgoing]:
        """The frames that go out in place of one."""
        match effect:
            case Dropped():
                return []
            case Duplicated():
                return [*frames, outgoing]
            case Swapped():
                self._held = [outgoing]
                return []
            case Closed(code):
                return [Outgoing(Opcode.CLOSE, close_payload(code), "close", {"code": code})]
            case AudioCut(after):
                self._audio_left = after
                return [] if self._loses_audio("audio", len(outgoing.payload)) else frames
            case _:
                self._recogniser_fails(effect.text)
                return frames

    def in_room(self, chunks: list[bytes]) -> list[bytes]:
        """The chunks of speech that reach a room; those behind a cut do not."""
        return chunks if self.idle else [chunk for chunk in chunks if self._reaches_room(chunk)]

    def _reaches_room(self, chunk: bytes) -> bool:
        for effect in self._faults.sound(self._session):
            self._note(effect, "audio")
            self._audio_left = effect.after
        return not self._loses_audio("audio", len(chunk))

    def _loses_audio(self, kind: str, size: int) -> bool:
        """Count the audio of a speech that is cut; its end ends the cut."""
        if self._audio_left is None:
            return False
        if kind == "audio":
            self._audio_left -= size
            return self._audio_left < 0
        if kind == "tts_playback_complete":
            self._audio_left = None
        return False

    async def incoming(
        self, kind: str, close: Callable[[int | None], None], abort: Callable[[], None]
    ) -> bool:
        """Meet a frame of the client; False when it is not handled."""
        handled = True
        if kind == "clear":
            self._audio_left = None
        for effect in self._faults.frame(self._session, ">", kind):
            self._note(effect, kind)
            match effect:
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Silent(seconds):
                    await self.fall_silent(seconds)
                case Closed(code):
                    close(code)
                    handled = False
                case Reset():
                    abort()
                    handled = False
                case RecogniserFails(text):
                    self._recogniser_fails(text)
                case _:
                    handled = False
        return handled

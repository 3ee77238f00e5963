"""The commands of a session (websocket.md 4): check, encode, send."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterable, Iterable
from typing import Any, Literal

from sayna_client import deprecation, types
from sayna_client.checks import audio_bytes, build, not_blank
from sayna_client.errors import SaynaNotConnectedError, SaynaValidationError
from sayna_client.pacing import bytes_per_second, paced
from sayna_client.session import Session


class Commands:
    """What a client can tell the server while it is ready.

    Every command raises SaynaNotConnectedError or SaynaNotReadyError when it comes too early or too
    late, then SaynaValidationError for its arguments, then SaynaConnectionError for the sending.
    """

    stt_config: types.STTConfig | None
    _session: Session | None = None

    async def speak(self, text: str, flush: bool = True, allow_interruption: bool = True) -> None:
        """Queue text to be spoken; the server ignores `flush` (websocket.md 6.1).

        With `allow_interruption=False` the server ignores `clear` and drops transcripts meanwhile
        (websocket.md 7).
        """
        session = self._ready_session()
        message = build(
            types.SpeakMessage, text=text, flush=flush, allow_interruption=allow_interruption
        )
        with session.speech.asked(
            message.text, allow_interruption=bool(message.allow_interruption)
        ):
            await session.send(message)

    async def say(self, text: str, *, allow_interruption: bool = True) -> None:
        """Speak and return when the server has generated and handed over all of it.

        One at a time: it waits until what was asked for before is done. Blank text returns at once.

        Raises:
            SaynaSpeechError: it was cleared, or its synthesis failed.
            SaynaConnectionError: the connection ended first.
        """
        session = self._ready_session()
        if not build(types.SpeakMessage, text=text).text.strip():
            return
        async with session.speech.turn:
            await session.speech.silence()
            with session.speech.watched() as end:
                await self.speak(text, allow_interruption=allow_interruption)
                await end

    async def tts_flush(self, allow_interruption: bool = True) -> None:
        """Send an empty `speak`; with `allow_interruption=False` that mutes the server (7.1)."""
        if not allow_interruption:
            warnings.warn(
                "tts_flush(allow_interruption=False) makes the server ignore clear() and drop"
                " transcripts until the next speech ends",
                UserWarning,
                stacklevel=2,
            )
        await self.speak("", flush=True, allow_interruption=allow_interruption)

    async def clear(self) -> None:
        """Drop queued speech and what is being spoken, unless it is protected (websocket.md 7)."""
        session = self._ready_session()
        await session.send(types.ClearMessage())
        session.speech.cleared()

    async def on_audio_input(self, audio_data: bytes) -> None:
        """Send a piece of audio to be transcribed; it must not be empty."""
        session = self._ready_session()
        await session.send(audio_bytes(audio_data))

    async def send_audio_stream(
        self,
        source: AsyncIterable[bytes] | Iterable[bytes],
        *,
        pace: Literal["realtime"] | None = "realtime",
    ) -> None:
        """Send audio from an iterable, at the speed of speech or, with `pace=None`, as it comes.

        Empty pieces are skipped. How long a piece lasts follows from `stt_config`.
        """
        if pace not in ("realtime", None):
            raise SaynaValidationError(f"pace must be 'realtime' or None, got {pace!r}")
        rate = bytes_per_second(self.stt_config) if pace else None
        async for piece in paced(source, rate):
            if piece:
                await self.on_audio_input(piece)

    async def send_message(
        self, message: str, role: str, topic: str | None = "messages", debug: Any = None
    ) -> None:
        """Send a data message to the room; `debug` is any JSON (websocket.md 4.6)."""
        await self._command(
            types.SendMessageMessage, message=message, role=role, topic=topic, debug=debug
        )

    async def sip_transfer(self, transfer_to: str) -> None:
        """Transfer the caller; success is silent, failure an event (websocket.md 4.7)."""
        self._ready_session()
        not_blank(transfer_to=transfer_to)
        await self._command(types.SipTransferMessage, transfer_to=transfer_to.strip())

    async def loading_start(self) -> None:
        """Start the loading sound (websocket.md 10)."""
        await self._command(types.LoadingStartMessage)

    async def loading_stop(self) -> None:
        """Stop the loading sound (websocket.md 10)."""
        await self._command(types.LoadingStopMessage)

    async def update_config(
        self, *, silence_duration_ms: int | None = None, turn_threshold: float | None = None
    ) -> None:
        """Tune voice activity (ms) and turn detection (0 to 1) (websocket.md 4.8)."""
        vad = {"silence_duration_ms": silence_duration_ms}
        turn = {"threshold": turn_threshold}
        await self._command(
            types.UpdateConfigMessage,
            vad=vad if silence_duration_ms is not None else None,
            turn_detect=turn if turn_threshold is not None else None,
        )

    async def send_speak(
        self, text: str, flush: bool = True, allow_interruption: bool = True
    ) -> None:
        """Use `speak()` instead."""
        deprecation.warn("send_speak", "speak")
        await self.speak(text, flush, allow_interruption)

    async def send_clear(self) -> None:
        """Use `clear()` instead."""
        deprecation.warn("send_clear", "clear")
        await self.clear()

    async def send_audio(self, audio_data: bytes) -> None:
        """Use `on_audio_input()` instead."""
        deprecation.warn("send_audio", "on_audio_input")
        await self.on_audio_input(audio_data)

    def _ready_session(self) -> Session:
        if self._session is None:
            raise SaynaNotConnectedError
        self._session.check_ready()
        return self._session

    async def _command(self, model: type[types.Command], **fields: Any) -> None:
        session = self._ready_session()
        await session.send(build(model, **fields))

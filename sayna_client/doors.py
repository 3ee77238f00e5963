"""The four doors to events, with their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from sayna_client import checks, deprecation, types
from sayna_client.dispatcher import Dispatcher
from sayna_client.events import ConnectionClosed, HandlerError, Reconnecting
from sayna_client.lanes import Handler
from sayna_client.streams import Stream

T = TypeVar("T")
On = Callable[[T], object]


class Doors:
    """How a client hears events: callbacks, handlers, iterators and waits.

    A handler is called with the event; what it returns is awaited if it can be.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @overload
    def on(self, event: Literal["ready"], handler: On[types.ReadyMessage]) -> None: ...

    @overload
    def on(self, event: Literal["stt_result"], handler: On[types.STTResultMessage]) -> None: ...

    @overload
    def on(self, event: Literal["tts_audio"], handler: On[bytes]) -> None: ...

    @overload
    def on(
        self, event: Literal["tts_playback_complete"], handler: On[types.TTSPlaybackCompleteMessage]
    ) -> None: ...

    @overload
    def on(self, event: Literal["message"], handler: On[types.MessageMessage]) -> None: ...

    @overload
    def on(self, event: Literal["error"], handler: On[types.ErrorMessage]) -> None: ...

    @overload
    def on(
        self, event: Literal["sip_transfer_error"], handler: On[types.SipTransferErrorMessage]
    ) -> None: ...

    @overload
    def on(
        self,
        event: Literal["participant_connected"],
        handler: On[types.ParticipantConnectedMessage],
    ) -> None: ...

    @overload
    def on(
        self,
        event: Literal["participant_disconnected"],
        handler: On[types.ParticipantDisconnectedMessage],
    ) -> None: ...

    @overload
    def on(
        self, event: Literal["track_subscribed"], handler: On[types.TrackSubscribedMessage]
    ) -> None: ...

    @overload
    def on(self, event: Literal["vad_event"], handler: On[types.VadEventMessage]) -> None: ...

    @overload
    def on(self, event: Literal["unknown"], handler: On[types.UnknownMessage]) -> None: ...

    @overload
    def on(self, event: Literal["reconnecting"], handler: On[Reconnecting]) -> None: ...

    @overload
    def on(self, event: Literal["closed"], handler: On[ConnectionClosed]) -> None: ...

    @overload
    def on(self, event: Literal["handler_error"], handler: On[HandlerError]) -> None: ...

    def on(self, event: str, handler: Handler) -> None:
        """Call a handler for every event of a kind, next to others; the kinds are in events.py.

        Raises:
            SaynaValidationError: no such event, or the handler cannot be called.
        """
        checks.can_be_called("handler", handler)
        self._dispatcher.slot(event).add(handler, once=False)

    @overload
    def once(self, event: Literal["ready"], handler: On[types.ReadyMessage]) -> None: ...

    @overload
    def once(self, event: Literal["stt_result"], handler: On[types.STTResultMessage]) -> None: ...

    @overload
    def once(self, event: Literal["tts_audio"], handler: On[bytes]) -> None: ...

    @overload
    def once(
        self, event: Literal["tts_playback_complete"], handler: On[types.TTSPlaybackCompleteMessage]
    ) -> None: ...

    @overload
    def once(self, event: Literal["message"], handler: On[types.MessageMessage]) -> None: ...

    @overload
    def once(self, event: Literal["error"], handler: On[types.ErrorMessage]) -> None: ...

    @overload
    def once(
        self, event: Literal["sip_transfer_error"], handler: On[types.SipTransferErrorMessage]
    ) -> None: ...

    @overload
    def once(
        self,
        event: Literal["participant_connected"],
        handler: On[types.ParticipantConnectedMessage],
    ) -> None: ...

    @overload
    def once(
        self,
        event: Literal["participant_disconnected"],
        handler: On[types.ParticipantDisconnectedMessage],
    ) -> None: ...

    @overload
    def once(
        self, event: Literal["track_subscribed"], handler: On[types.TrackSubscribedMessage]
    ) -> None: ...

    @overload
    def once(self, event: Literal["vad_event"], handler: On[types.VadEventMessage]) -> None: ...

    @overload
    def once(self, event: Literal["unknown"], handler: On[types.UnknownMessage]) -> None: ...

    @overload
    def once(self, event: Literal["reconnecting"], handler: On[Reconnecting]) -> None: ...

    @overload
    def once(self, event: Literal["closed"], handler: On[ConnectionClosed]) -> None: ...

    @overload
    def once(self, event: Literal["handler_error"], handler: On[HandlerError]) -> None: ...

    def once(self, event: str, handler: Handler) -> None:
        """Call a handler for the next event of a kind only."""
        checks.can_be_called("handler", handler)
        self._dispatcher.slot(event).add(handler, once=True)

    def off(self, event: str, handler: Callable[[Any], object]) -> None:
        """Remove a handler, however it was added; one that is not there is no error."""
        self._dispatcher.slot(event).remove(handler)

    def events(self) -> Stream[types.ServerMessage]:
        """Iterate over all text frames of the server from now on, unknown types included."""
        stream = Stream[types.ServerMessage](self._dispatcher.backlog)
        self._dispatcher.event_streams.add(stream)
        return stream

    def audio(self) -> Stream[bytes]:
        """Iterate over speech audio from now on."""
        stream = Stream[bytes](self._dispatcher.backlog)
        self._dispatcher.audio_streams.add(stream)
        return stream

    @overload
    async def wait_for(
        self,
        event: Literal["ready"],
        check: Callable[[types.ReadyMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.ReadyMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["stt_result"],
        check: Callable[[types.STTResultMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.STTResultMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["tts_audio"],
        check: Callable[[bytes], bool] | None = None,
        timeout: float | None = None,
    ) -> bytes: ...

    @overload
    async def wait_for(
        self,
        event: Literal["tts_playback_complete"],
        check: Callable[[types.TTSPlaybackCompleteMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.TTSPlaybackCompleteMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["message"],
        check: Callable[[types.MessageMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.MessageMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["error"],
        check: Callable[[types.ErrorMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.ErrorMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["sip_transfer_error"],
        check: Callable[[types.SipTransferErrorMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.SipTransferErrorMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["participant_connected"],
        check: Callable[[types.ParticipantConnectedMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.ParticipantConnectedMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["participant_disconnected"],
        check: Callable[[types.ParticipantDisconnectedMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.ParticipantDisconnectedMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["track_subscribed"],
        check: Callable[[types.TrackSubscribedMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.TrackSubscribedMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["vad_event"],
        check: Callable[[types.VadEventMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.VadEventMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["unknown"],
        check: Callable[[types.UnknownMessage], bool] | None = None,
        timeout: float | None = None,
    ) -> types.UnknownMessage: ...

    @overload
    async def wait_for(
        self,
        event: Literal["reconnecting"],
        check: Callable[[Reconnecting], bool] | None = None,
        timeout: float | None = None,
    ) -> Reconnecting: ...

    @overload
    async def wait_for(
        self,
        event: Literal["closed"],
        check: Callable[[ConnectionClosed], bool] | None = None,
        timeout: float | None = None,
    ) -> ConnectionClosed: ...

    @overload
    async def wait_for(
        self,
        event: Literal["handler_error"],
        check: Callable[[HandlerError], bool] | None = None,
        timeout: float | None = None,
    ) -> HandlerError: ...

    async def wait_for(
        self,
        event: str,
        check: Callable[[Any], bool] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait for the next event of a kind for which `check` is true.

        Raises:
            SaynaTimeoutError: it did not come within `timeout` seconds.
            SaynaConnectionError: the session ended before it came.
        """
        if check is not None:
            checks.can_be_called("check", check)
        if timeout is not None:
            checks.not_negative("timeout", timeout)
        return await self._dispatcher.wait_for(event, check, timeout)

    def register_on_ready(self, callback: On[types.ReadyMessage] | None) -> None:
        """Set the callback for `ready`; None removes it."""
        self._register("ready", callback)

    def register_on_stt_result(self, callback: On[types.STTResultMessage] | None) -> None:
        """Set the callback for transcripts; None removes it."""
        self._register("stt_result", callback)

    def register_on_message(self, callback: On[types.MessageMessage] | None) -> None:
        """Set the callback for data messages of the room; None removes it."""
        self._register("message", callback)

    def register_on_error(self, callback: On[types.ErrorMessage] | None) -> None:
        """Set the callback for errors the server reports; None removes it."""
        self._register("error", callback)

    def register_on_sip_transfer_error(
        self, callback: On[types.SipTransferErrorMessage] | None
    ) -> None:
        """Set the callback for SIP transfers not made; without one `error` handlers get them."""
        self._register("sip_transfer_error", callback)

    def register_on_participant_connected(
        self, callback: On[types.ParticipantConnectedMessage] | None
    ) -> None:
        """Set the callback for participants who join; None removes it."""
        self._register("participant_connected", callback)

    def register_on_participant_disconnected(
        self, callback: On[types.ParticipantDisconnectedMessage] | None
    ) -> None:
        """Set the callback for participants who leave; None removes it."""
        self._register("participant_disconnected", callback)

    def register_on_track_subscribed(
        self, callback: On[types.TrackSubscribedMessage] | None
    ) -> None:
        """Set the callback for tracks the server hears; None removes it."""
        self._register("track_subscribed", callback)

    def register_on_tts_playback_complete(
        self, callback: On[types.TTSPlaybackCompleteMessage] | None
    ) -> None:
        """Set the callback for the end of queued speech; None removes it."""
        self._register("tts_playback_complete", callback)

    def register_on_tts_audio(self, callback: On[bytes] | None) -> None:
        """Set the callback for speech audio; None removes it."""
        self._register("tts_audio", callback)

    def register_on_audio(self, callback: On[bytes] | None) -> None:
        """Use `register_on_tts_audio()` instead."""
        deprecation.warn("register_on_audio", "register_on_tts_audio")
        self.register_on_tts_audio(callback)

    def _register(self, event: str, callback: Handler | None) -> None:
        if callback is not None:
            checks.can_be_called("handler", callback)
        self._dispatcher.slot(event).replace(callback)

"""The four doors to events, with their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sayna_client.dispatcher import Dispatcher
from sayna_client.types.events import (
    ErrorMessage,
    MessageMessage,
    ParticipantConnectedMessage,
    ParticipantDisconnectedMessage,
    ReadyMessage,
    SipTransferErrorMessage,
    STTResultMessage,
    TrackSubscribedMessage,
    TTSPlaybackCompleteMessage,
)

T = TypeVar("T")
Callback = Callable[[T], object] | None


class Doors:
    """What a client offers to hear events."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def register_on_ready(self, callback: Callback[ReadyMessage]) -> None:
        """Set the callback for `ready`; None removes it."""
        self._dispatcher.slot("ready").replace(callback)

    def register_on_stt_result(self, callback: Callback[STTResultMessage]) -> None:
        """Set the callback for transcripts; None removes it."""
        self._dispatcher.slot("stt_result").replace(callback)

    def register_on_tts_audio(self, callback: Callback[bytes]) -> None:
        """Set the callback for speech audio; None removes it."""
        self._dispatcher.slot("tts_audio").replace(callback)

    def register_on_error(self, callback: Callback[ErrorMessage]) -> None:
        """Set the callback for errors the server reports; None removes it."""
        self._dispatcher.slot("error").replace(callback)

    def register_on_sip_transfer_error(self, callback: Callback[SipTransferErrorMessage]) -> None:
        """Set the callback for refused SIP transfers; None removes it."""
        self._dispatcher.slot("sip_transfer_error").replace(callback)

    def register_on_message(self, callback: Callback[MessageMessage]) -> None:
        """Set the callback for data messages of the room; None removes it."""
        self._dispatcher.slot("message").replace(callback)

    def register_on_participant_connected(
        self, callback: Callback[ParticipantConnectedMessage]
    ) -> None:
        """Set the callback for participants who join; None removes it."""
        self._dispatcher.slot("participant_connected").replace(callback)

    def register_on_participant_disconnected(
        self, callback: Callback[ParticipantDisconnectedMessage]
    ) -> None:
        """Set the callback for participants who leave; None removes it."""
        self._dispatcher.slot("participant_disconnected").replace(callback)

    def register_on_track_subscribed(self, callback: Callback[TrackSubscribedMessage]) -> None:
        """Set the callback for tracks the server hears; None removes it."""
        self._dispatcher.slot("track_subscribed").replace(callback)

    def register_on_tts_playback_complete(
        self, callback: Callback[TTSPlaybackCompleteMessage]
    ) -> None:
        """Set the callback for the end of queued speech; None removes it."""
        self._dispatcher.slot("tts_playback_complete").replace(callback)

    async def wait_for(
        self,
        event: str,
        check: Callable[[Any], bool] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait for the next event for which `check` is true."""
        return await self._dispatcher.wait_for(event, check, timeout)

"""Recognition: audio in, results out, and the end of speech forced when nothing ends it (8)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from sayna_testing.server.providers import Provider
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.hearing import Hearing
from sayna_testing.server.ws.messages import FORCED, Result
from sayna_testing.server.ws.outbox import Outbox
from sayna_testing.server.ws.transcripts import Transcripts, as_reported

LINK_GONE = "Network error: Failed to send audio data: channel closed"
UNHEARD = "the link to the recogniser is gone"

Dropped = Callable[[Result, str], None]


class Listener:
    """The recogniser of one pipeline; `dropped` is told of every result the client does not get."""

    def __init__(
        self,
        config: Mapping[str, Any],
        provider: Provider,
        outbox: Outbox,
        interruptible: Callable[[], bool],
        dropped: Dropped,
    ) -> None:
        self._provider: Provider = provider
        self._outbox = outbox
        self._interruptible = interruptible
        self._dropped = dropped
        self._loop = asyncio.get_running_loop()
        self._transcripts = Transcripts()
        self._timer: asyncio.TimerHandle | None = None
        self._hearing = Hearing(config["sample_rate"], config["encoding"], self.result)
        self._connected = True

    def hear(self, audio: bytes) -> bool:
        """Take audio of the client; False when the provider's link is gone (4.5)."""
        if self._connected:
            self._hearing.feed(audio)
        return self._connected

    def hear_room(self, identity: str, pcm: bytes, sample_rate: int) -> bool:
        """Take audio of a participant, as `hear` does (9.2)."""
        if self._connected:
            self._hearing.feed_room(identity, pcm, sample_rate)
        return self._connected

    def result(self, result: Result) -> str | None:
        """Pass a result of the recogniser on: None if the client gets it, else why not."""
        if not self._connected:
            return self._drop(result, UNHEARD)
        reported = as_reported(self._provider, result)
        if reported is None:
            return self._drop(result, f"{self._provider} reports no empty interims")
        reason = self._transcripts.admit(
            reported, self._loop.time(), interruptible=self._interruptible()
        )
        if reason is not None:
            return self._drop(reported, reason)
        self._outbox.post(messages.stt_result(reported))
        self._arm()
        return None

    def _drop(self, result: Result, reason: str) -> str:
        self._dropped(result, reason)
        return reason

    def fail(self, text: str) -> None:
        """Lose the provider with an STTError text (8.5)."""
        self._connected = False
        self._hearing.stop()
        self._outbox.post(messages.error(f"STT streaming error: {text}"))

    def disconnect(self) -> None:
        """Hear nothing more; timers go on."""
        self._connected = False
        self._hearing.stop()

    def stop(self) -> None:
        """End everything: the socket is gone."""
        self.disconnect()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        due = self._transcripts.due
        if self._timer is not None and self._timer.when() != due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:
            self._timer = self._loop.call_at(due, self._force, due)

    def _force(self, due: float) -> None:
        self._timer = None
        if self._transcripts.force(max(due, self._loop.time())):  # pragma: no branch - it is due
            self._outbox.offer(messages.stt_result(FORCED))
        self._arm()

"""What we asked the server to say and has not come to its end yet (websocket.md 6 and 7)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator

from sayna_client.errors import SaynaError, SaynaSpeechError
from sayna_client.events import ConnectionClosed, end_error

# Failures after which one text is gone without a completion of its own (websocket.md 3, 6.4).
_LOST = (
    "Failed to synthesize speech:",
    "Audio processing is disabled.",
    "Voice manager not configured.",
)
# A failed text of the queue; a completion follows if it was the last one (websocket.md 6.4).
_FAILED = "TTS error:"


class Speech:
    """Counts texts; completions carry no id, so one ends all that was outstanding."""

    def __init__(self) -> None:
        self.outstanding = 0
        self.turn = asyncio.Lock()
        self._protected = False
        self._waiting: list[asyncio.Future[None]] = []

    @contextlib.contextmanager
    def asked(self, text: str, *, allow_interruption: bool) -> Generator[None]:
        """Count a text that is being sent; the newest decides whether all can be cleared (7.1)."""
        self._protected = not allow_interruption
        count = 1 if text.strip() else 0
        self.outstanding += count
        try:
            yield
        except BaseException:
            self.outstanding = max(self.outstanding - count, 0)
            raise

    def completed(self) -> None:
        """The queue is empty and handed over (6.3)."""
        self._protected = False
        self._end(None)

    def cleared(self) -> None:
        """A clear was sent; while the newest text is protected it does nothing (7.2)."""
        if not (self._protected and self.outstanding):
            self._protected = False
            self._end(SaynaSpeechError("The speech was cleared"))

    def failed(self, message: str) -> None:
        """The server reported an error."""
        if message.startswith(_FAILED):
            self._wake(SaynaSpeechError(message))
        elif message.startswith(_LOST) and self.outstanding:
            self.outstanding -= 1
            self._wake(SaynaSpeechError(message))

    def ended(self, closed: ConnectionClosed) -> None:
        """The connection is gone, and the speech with it."""
        self._protected = False
        self._end(end_error(closed, "before the speech was done"))

    @contextlib.contextmanager
    def watched(self) -> Generator[asyncio.Future[None]]:
        """Give what is done with the next end of outstanding speech.

        It raises SaynaSpeechError when that is a clear or a failure, SaynaConnectionError when the
        connection ends.
        """
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            yield waiting
        finally:
            self._waiting = [one for one in self._waiting if one is not waiting]
            waiting.cancel()

    async def silence(self) -> None:
        """Wait until nothing is outstanding, however it ended.

        Raises:
            SaynaConnectionError: the connection ended first.
        """
        while self.outstanding:
            with self.watched() as end, contextlib.suppress(SaynaSpeechError):
                await end

    def _end(self, error: SaynaError | None) -> None:
        self.outstanding = 0
        self._wake(error)

    def _wake(self, error: SaynaError | None) -> None:
        waiting, self._waiting = self._waiting, []
        for one in (future for future in waiting if not future.done()):
            if error is None:
                one.set_result(None)
            else:
                one.set_exception(error)

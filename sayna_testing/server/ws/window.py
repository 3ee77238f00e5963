"""The interruption window: when the client and the caller may cut in (websocket.md 7.1)."""

from collections.abc import Iterable


class Window:
    """Whether speech may be interrupted; all times are milliseconds of one clock."""

    def __init__(self) -> None:
        self._allow = True
        self._until = 0
        self._completed = True

    def is_open(self, now: int) -> bool:
        """Whether `clear` works and transcripts come through."""
        return self._allow or (self._completed and now > self._until)

    def on_speak(self, now: int, *, allow_interruption: bool) -> None:
        """The latest `speak` decides for everything queued."""
        if allow_interruption:
            self.reset()
        else:
            self._allow, self._until, self._completed = False, now, False

    def on_audio(self, now: int, chunks: Iterable[bytes], sample_rate: int) -> None:
        """Count audio handed out: each chunk as 16-bit mono, in whole milliseconds."""
        if self._completed:
            self._completed = False
            self._until = self._until if self._allow else now
        if not self._allow and sample_rate:
            self._until += sum(int(1000 * len(chunk) / (sample_rate * 2)) for chunk in chunks)

    def on_completion(self) -> None:
        """All speech was generated."""
        self._completed = True

    def reset(self) -> None:
        """An effective `clear`, or speech that may be interrupted."""
        self._allow, self._until, self._completed = True, 0, True

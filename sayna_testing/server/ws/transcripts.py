"""From what a recogniser says to what the client gets (websocket.md 8.1 to 8.3).

Times are seconds of one clock. A result is delivered, or dropped for a reason; `due` is when the
end of speech is forced unless something comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sayna_testing.server.providers import Provider
from sayna_testing.server.text import is_blank
from sayna_testing.server.ws.messages import Result

SILENCE = 1.8
HARD = 5.0
DUPLICATE = 0.5


@dataclass(frozen=True, slots=True)
class Habits:
    """How a provider reports; None leaves what the recogniser said."""

    empty_interims: bool
    interim_confidence: float | None
    final_confidence: float | None
    finals_end_speech: bool


HABITS: Mapping[Provider, Habits] = {
    "deepgram": Habits(True, None, None, finals_end_speech=False),
    "google": Habits(False, 0.0, None, finals_end_speech=True),
    "elevenlabs": Habits(False, 0.0, 1.0, finals_end_speech=True),
    "azure": Habits(False, 0.0, None, finals_end_speech=True),
    "cartesia": Habits(True, 0.0, 1.0, finals_end_speech=True),
}


def as_reported(provider: Provider, result: Result) -> Result | None:
    """Put a result the way the provider reports it, None if it reports none (8.1)."""
    habits = HABITS[provider]
    if not result.is_final:
        if not result.transcript and not habits.empty_interims:
            return None
        confidence = habits.interim_confidence
    else:
        confidence = habits.final_confidence
    return Result(
        result.transcript,
        result.is_final,
        result.is_speech_final or (result.is_final and habits.finals_end_speech),
        result.confidence if confidence is None else confidence,
    )


class Transcripts:
    """The filter of one pipeline and its two timers."""

    def __init__(self) -> None:
        self._segment = ""
        self._silence: float | None = None
        self._hard: float | None = None
        self._forced: tuple[str, float] | None = None

    @property
    def due(self) -> float | None:
        """When the end of speech is forced."""
        return min((at for at in (self._silence, self._hard) if at is not None), default=None)

    def admit(self, result: Result, now: float, *, interruptible: bool) -> str | None:
        """Take a result in: None delivers it, else it is dropped and this is why (8.2)."""
        if not interruptible:
            return "protected speech is playing"
        if result.is_speech_final:
            return self._end_speech(result, now)
        if result.is_final:
            return self._add(result, now)
        return None

    def _end_speech(self, result: Result, now: float) -> str | None:
        if self._forced is not None:
            text, at = self._forced
            if now - at < DUPLICATE and result.transcript == text:
                return "duplicate of a forced end of speech"
        self._rest()
        self._forced = None
        return None

    def _add(self, result: Result, now: float) -> str | None:
        if is_blank(result.transcript):
            return "blank final"
        if self._hard is None:
            self._hard = now + HARD
        self._segment += result.transcript
        self._silence = now + SILENCE
        return None

    def force(self, now: float) -> bool:
        """Whether the end of speech is forced now (8.3)."""
        if self.due is None or now < self.due:
            return False
        self._forced = (self._segment, now)
        self._rest()
        return True

    def _rest(self) -> None:
        self._segment, self._silence, self._hard = "", None, None

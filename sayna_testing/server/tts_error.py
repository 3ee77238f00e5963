"""How speech synthesis fails: where, and in which words (rest.md 8.4, websocket.md 6.4)."""

from typing import Literal

Stage = Literal["create", "connect", "register", "synthesize", "produce"]


class SpeakError(Exception):
    """A provider failed; the text is e.g. `Provider error: API error (401 Unauthorized): no`.

    `stage` None is where this provider notices what it is sent: Google in the call, all others
    while producing audio.
    """

    def __init__(self, text: str, stage: Stage | None = None) -> None:
        super().__init__(text)
        self.stage = stage

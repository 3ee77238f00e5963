"""How speech synthesis fails: where, and in which words (rest.md 8.4, websocket.md 6.4)."""

from typing import Literal

Stage = Literal["create", "connect", "register", "synthesize", "produce"]


class SpeakError(Exception):
    """A provider failed at a stage; the text is e.g. `Provider error: API error (401 …): …`."""

    def __init__(self, stage: Stage, text: str) -> None:
        super().__init__(text)
        self.stage: Stage = stage

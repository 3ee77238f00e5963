"""Errors that nobody awaits: raised in handlers of the agent, or inside the fake itself."""

from __future__ import annotations

import logging
import os
import traceback
from types import TracebackType
from typing import Final

__all__ = ["ErrorWatch"]

# The SDK logs what handlers raise, asyncio what tasks and callbacks do, the fake what it does.
_LOGGERS: Final = tuple(map(logging.getLogger, ("sayna_client", "asyncio", "sayna_testing")))
_FAKE: Final = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


class ErrorWatch(logging.Handler):
    """Collects them from the log between `start` and `stop`."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[tuple[str, BaseException]] = []

    def start(self) -> None:
        """Listen from now on."""
        for logger in _LOGGERS:
            logger.addHandler(self)

    def stop(self) -> None:
        """Listen no more."""
        for logger in _LOGGERS:
            logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what a handler raised, and what passed through code of the fake."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return
        if record.name.startswith("sayna_client"):
            self.errors.append((record.getMessage(), error))
        elif _in_fake(error.__traceback__):
            self.errors.append(("the fake server failed", error))


def _in_fake(tb: TracebackType | None) -> bool:
    return any(frame.f_code.co_filename.startswith(_FAKE) for frame, _ in traceback.walk_tb(tb))

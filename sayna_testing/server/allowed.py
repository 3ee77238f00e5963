"""Errors that a test means to provoke."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from sayna_testing.server.journal import Entry, Journal

__all__ = ["AllowedErrors"]


class AllowedErrors:
    """Which of a server's error answers a test expects."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._meant: list[range] = []
        self._open: list[int] = []

    @contextlib.contextmanager
    def __call__(self) -> Generator[None]:
        """Allow what the server refuses while the block is open."""
        self._open.append(len(self._journal))
        depth = len(self._open) - 1
        try:
            yield
        finally:
            self._meant.append(range(self._open[depth], len(self._journal)))
            del self._open[depth]

    def clear(self) -> None:
        """Begin again, like the journal; a block that is open stays open."""
        self._meant.clear()
        self._open = [0] * len(self._open)

    def covers(self, entry: Entry) -> bool:
        """Whether the test meant it."""
        return any(entry.index in meant for meant in self._meant) or any(
            entry.index >= start for start in self._open
        )

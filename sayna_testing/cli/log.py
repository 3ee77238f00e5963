"""The access log: the journal told line by line while it is written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence

from sayna_testing.report.events import AUDIO
from sayna_testing.report.text import timeline
from sayna_testing.server.journal import Entry, Journal

_PATIENCE = 1.0
"""Seconds of audio alone that are folded into one line."""


async def tell(journal: Journal, write: Callable[[str], None]) -> None:
    """Write a line for whatever happens, until cancelled."""
    log = Log()
    while True:
        await _wait(journal, lambda _: True, log.told)
        if len(journal) < log.told:
            log = Log()  # the journal was cleared
        entries = journal.since(log.told)
        if all(entry.kind in AUDIO for entry in entries):
            start = log.told + len(entries)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await _wait(journal, lambda entry: entry.kind not in AUDIO, start)
        for line in log.lines(journal.since(log.told)):
            write(line)


async def _wait(journal: Journal, match: Callable[[Entry], bool], start: int) -> None:
    future = journal.first(match, start=start)
    try:
        await asyncio.wrap_future(future)
    finally:
        journal.forget(future)


class Log:
    """What was told so far; `told` is the number of the next entry to tell."""

    def __init__(self) -> None:
        self.told = 0
        self._configs: dict[str, Entry] = {}

    def lines(self, entries: Sequence[Entry]) -> Iterator[str]:
        """The lines for new entries; earlier configs say what their audio is."""
        known = list(self._configs.values())
        yield from timeline([*known, *entries], keys=True)[len(known) :]
        self.told += len(entries)
        self._configs |= {entry.session: entry for entry in entries if entry.kind == "config"}

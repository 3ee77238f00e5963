"""Playing one script, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report.call import Call
from sayna_testing.report.rendering import call_of
from sayna_testing.scripts import Script
from sayna_testing.scripts.telling import tell


async def call_played(
    server: FakeSaynaServer,
    script: Script,
    agent: Any = None,
    say: Callable[[str], None] = lambda line: None,
) -> Call:
    """Play a script, tell it line by line, and return the call, also when none came about."""
    try:
        outcome = await server.try_play(script, agent)
    except ExpectationError as error:
        for line in (f"{script.name}  FAILED", *str(error).splitlines(), ""):
            say(line)
        return Call(
            name=script.name,
            entries=server.journal.entries,
            status="failed",
            reason=error.summary,
        )
    for line in tell(outcome):
        say(line)
    return call_of(outcome)

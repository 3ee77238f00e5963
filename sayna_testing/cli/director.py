"""Who plays scripts on a served fake: each session that gets ready gets the next script."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from sayna_testing.cli.playing import call_played
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report.call import Call
from sayna_testing.scripts import Script, loads
from sayna_testing.server.journal import Entry


class Director:
    """Plays scripts and remembers what came of them."""

    def __init__(self, server: FakeSaynaServer, say: Callable[[str], None]) -> None:
        self._played: dict[str, Call] = {}
        self._server = server
        self._say = say

    async def play_all(self, scripts: Sequence[Script]) -> None:
        """Play a script in each session as it gets ready, in turn, until cancelled."""
        seen: set[str] = set()
        async with asyncio.TaskGroup() as playing:
            for script in itertools.cycle(scripts):  # pragma: no branch - it is cancelled
                seen.add(await self._next_session(seen))
                playing.create_task(self._play(script))

    async def play_text(self, text: str) -> dict[str, Any]:
        """Play a script given as TOML in the next session; raises ScriptError for a bad one."""
        call = await self._play(loads(text))
        turns = [{"turn": turn.text, "status": turn.status} for turn in call.expectations]
        return {"status": call.status, "reason": call.reason, "turns": turns}

    def shown(self, call: Call) -> Call:
        """The call of a session as it was played, if a script was played in it."""
        return self._played.get(call.sessions[0] if call.sessions else "", call)

    def forget(self) -> None:
        """Begin again: sessions to come have the names of those before."""
        self._played.clear()

    async def _play(self, script: Script) -> Call:
        call = await call_played(self._server, script)
        self._played |= dict.fromkeys(call.sessions[:1], call)
        self._say(f"{call.name}: {call.status}")
        return call

    async def _next_session(self, seen: set[str]) -> str:
        def fresh(entry: Entry) -> bool:
            return entry.kind == "ready" and entry.session not in seen

        future = self._server.journal.first(fresh)
        try:
            return (await asyncio.wrap_future(future)).session
        finally:
            self._server.journal.forget(future)

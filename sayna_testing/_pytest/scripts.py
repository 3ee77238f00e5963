"""Conversation scripts as tests of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from sayna_testing.scripts import Script, ScriptError, load

if TYPE_CHECKING:
    from sayna_testing.clock import Clock
    from sayna_testing.fake import FakeSaynaServer
    from sayna_testing.scripts.staging import Agent

__all__ = ["ScriptFile"]


class ScriptFile(pytest.File):
    """A `*.sayna.toml` file; its one test plays it against the fixture `sayna_agent`."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> Self:
        """The file at `path`."""
        node: Any = super()
        made: Self = node.from_parent(parent, path=path)
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """The test, named like the script; a bad script is an error with file, line and key."""
        try:
            script = load(self.path)
        except ScriptError as error:
            raise self.CollectError(str(error)) from None
        function: Any = pytest.Function  # pytest leaves what it takes here without types
        yield function.from_parent(self, name=script.name, callobj=_playing(script))


def _playing(script: Script) -> object:
    def play(sayna_clock: Clock, sayna_server: FakeSaynaServer, sayna_agent: Agent) -> None:
        __tracebackhide__ = True
        asyncio.run(sayna_server.try_play(script, sayna_agent)).check()

    return play

"""The servers behind the fixtures: one for a test, or some for many tests."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Protocol, Self

import pytest

from sayna_testing._pytest.leaks import SaynaLeakWarning, leaks, told_at_the_end_of_a_loop
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.server.settings import ServerSettings

if TYPE_CHECKING:
    from sayna_testing._pytest.run import Run

__all__ = ["MakeSaynaServer", "SharedServers", "server_for"]


class MakeSaynaServer(Protocol):
    """What `make_sayna_server` gives: a factory of running servers."""

    def __call__(
        self,
        settings: ServerSettings | None = None,
        *,
        transport: Literal["memory", "tcp"] = "memory",
    ) -> FakeSaynaServer:
        """Start a server; it closes at the end of the session, or with its `close()`."""
        ...


def server_for(run: Run, suite_settings: object) -> Iterator[FakeSaynaServer]:
    """The server of one test, as a fixture gives it; its leaks are told when the test is over."""
    settings = run.choice.settings or suite_settings
    if not isinstance(settings, ServerSettings):
        raise pytest.UsageError(
            f"the fixture sayna_server_settings must return a ServerSettings, got {settings!r}"
        )
    if run.choice.seed is not None:
        settings = dataclasses.replace(settings, seed=run.choice.seed)
    virtual = run.choice.clock == "virtual"
    with (
        run.ticking() if virtual else contextlib.nullcontext(),
        FakeSaynaServer(settings, transport=run.choice.transport) as server,
        told_at_the_end_of_a_loop(server, run.ended_by_force),
    ):
        run.uses(server)
        yield server
        run.check_leaks(server)


class SharedServers:
    """Servers that many tests use, one after the other."""

    def __init__(self) -> None:
        self._exit = contextlib.ExitStack()
        self._servers: list[FakeSaynaServer] = []
        self.make: MakeSaynaServer = self._make

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        found = [leak for server in self._servers for leak in leaks(server)]
        self._exit.close()
        for leak in found:
            warnings.warn(SaynaLeakWarning(leak), stacklevel=1)

    def __iter__(self) -> Iterator[FakeSaynaServer]:
        return iter(self._servers)

    def __len__(self) -> int:
        return len(self._servers)

    def _make(
        self,
        settings: ServerSettings | None = None,
        *,
        transport: Literal["memory", "tcp"] = "memory",
    ) -> FakeSaynaServer:
        server = FakeSaynaServer(settings, transport=transport)
        self._servers.append(self._exit.enter_context(server))
        return server

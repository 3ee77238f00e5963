"""What calls need of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sayna_testing.server.journal import Journal
from sayna_testing.server.session import Session
from sayna_testing.server.state import ServerState


@dataclass(frozen=True, slots=True)
class World:
    """The state of a server, its journal, and its sessions so far."""

    state: ServerState
    journal: Journal
    sessions: Callable[[], Sequence[Session]]

    @property
    def sip_host(self) -> str:
        """The host that a bare number is called at: that of the first hook, if there is one."""
        hooks = self.state.hooks.listed()
        return hooks[0].host if hooks else "sip.sayna.example"

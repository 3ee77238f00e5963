"""The agent that `*.sayna.toml` files of this folder are played against."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from booking_agent.agent import run


@pytest.fixture
def sayna_agent() -> Callable[[str], Awaitable[None]]:
    return run

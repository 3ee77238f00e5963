"""Situations that every voice agent must cope with, each one line of a parametrized test.

    @pytest.mark.parametrize("scenario", scenarios.all(), ids=str)
    async def test_agent_copes(scenario, sayna_server, sayna_clock):
        await scenario.play(sayna_server, agent)

They ask nothing of an agent's words, only that it listens, answers, stops and ends in time; the
caller's words are `Lines`. Each is a script: `scripts.dumps(scenario.script)` is a file to edit.
"""

from __future__ import annotations

import difflib

from sayna_testing.scenarios import hearing, talking, troubles
from sayna_testing.scenarios.model import Door, Lines, Scenario

__all__ = ["Lines", "Scenario", "all", "calls", "named", "sessions"]

_RECIPES = (*talking.RECIPES, *hearing.RECIPES, *troubles.RECIPES)


def all(lines: Lines | None = None) -> tuple[Scenario, ...]:
    """The scenarios for any agent, by telephone or in a session of its own."""
    return _behind("any", lines=lines)


def calls(lines: Lines | None = None) -> tuple[Scenario, ...]:
    """The scenarios for an agent that answers calls: those for any, and those of rooms."""
    return _behind("any", "call", lines=lines)


def sessions(lines: Lines | None = None) -> tuple[Scenario, ...]:
    """The scenarios for an agent without rooms: those for any, and lost sessions taken up again."""
    return _behind("any", "session", lines=lines)


def named(name: str, lines: Lines | None = None) -> Scenario:
    """One scenario; raises LookupError with the name that was meant."""
    known = {recipe.name: recipe for recipe in _RECIPES}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise LookupError(f'no scenario "{name}"{hint} (there are: {", ".join(known)})')
    return known[name](lines or Lines())


def _behind(*doors: Door, lines: Lines | None) -> tuple[Scenario, ...]:
    return tuple(recipe(lines or Lines()) for recipe in _RECIPES if recipe.door in doors)

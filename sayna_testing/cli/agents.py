"""The agent that `module:name` names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from sayna_testing.cli.ending import Unusable


def load_agent(name: str) -> Any:
    """Import it, from the current folder too; raises Unusable, which says what is missing."""
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise Unusable(f'--agent: expected MODULE:NAME, got "{name}"')
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        agent = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Unusable(f"--agent {name}: {error}") from None
    if not callable(agent):
        raise Unusable(f"--agent {name}: expected a callable, got {type(agent).__name__}")
    return agent

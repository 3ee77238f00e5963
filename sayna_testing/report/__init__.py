"""Pictures of what happened, drawn from a journal.

Names are loaded when they are used: drawing needs numpy and Jinja2, a timeline of text does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sayna_testing.report.call import Call, Expectation
    from sayna_testing.report.rendering import render
    from sayna_testing.report.run import page_of, record, write

__all__ = ["Call", "Expectation", "page_of", "record", "render", "write"]

_HOME = {
    "Call": "call",
    "Expectation": "call",
    "page_of": "run",
    "record": "run",
    "render": "rendering",
    "write": "run",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

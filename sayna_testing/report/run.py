"""The report of a test run: a part a call, from whichever process, and one page at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sayna_testing.report.call import Call
from sayna_testing.report.page import Part, page, prepare


def page_of(calls: Iterable[Call], *, title: str = "Sayna calls") -> str:
    """The page of some calls, as text."""
    return page(map(prepare, calls), title=title)


def record(call: Call) -> str:
    """The call made ready for the page, as text that can be handed to another process."""
    return prepare(call).dumps()


def write(path: Path, parts: Iterable[str], *, title: str = "Sayna calls") -> None:
    """Write the page that shows what `record` returned, in any order; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(map(Part.loads, parts), title=title), "utf-8", newline="\n")

"""`demo`: the example conversation against the example agent, wherever the package is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import sayna_testing
from sayna_testing.cli.agents import load_agent
from sayna_testing.cli.ending import EXIT_CODES
from sayna_testing.cli.play import play_all, report_option
from sayna_testing.cli.scripts import load_script

_SCRIPT = "booking.sayna.toml"
_AGENT = "booking_agent.agent:run"


@click.command(epilog=EXIT_CODES)
@report_option
def demo(report: Path | None) -> None:
    """Play a phone conversation against an example agent: more than a minute, in a moment.

    \b
    Examples:
      sayna-testing demo
      sayna-testing demo --report demo.html
    """  # noqa: D301 - click wants the backspace itself
    script, agents = _places()
    sys.path.insert(0, str(agents))
    play_all([load_script(script)], load_agent(_AGENT), report)


def _places() -> tuple[Path, Path]:
    """Script and folder of the agent: inside an installed package, or in the source tree."""
    package = Path(sayna_testing.__file__).parent
    installed, source = package / "_demo", package.parent
    if installed.is_dir():  # pragma: no cover - in the wheel only, whose own test plays the demo
        return installed / _SCRIPT, installed
    return source / "fixtures/conversations" / _SCRIPT, source / "docs/examples"

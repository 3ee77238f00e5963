"""`play` and `validate`: scripted conversations without pytest."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from sayna_testing.cli.agents import load_agent
from sayna_testing.cli.ending import EXIT_CODES, FAILED, UNUSABLE, Unusable
from sayna_testing.cli.playing import call_played
from sayna_testing.cli.scripts import find_scripts, load_script
from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report.call import Call
from sayna_testing.report.run import record, write
from sayna_testing.scripts import Script

_scripts = click.argument(
    "scripts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SCRIPT..."
)
report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a page that shows the calls.",
)


@click.command(epilog=EXIT_CODES)
@_scripts
@click.option(
    "--agent",
    "agent_name",
    required=True,
    metavar="MODULE:NAME",
    help="An ASGI or aiohttp application, called by webhook, or a callable that takes the "
    "server's URL and returns an awaitable.",
)
@report_option
def play(scripts: Sequence[Path], agent_name: str, report: Path | None) -> None:
    """Play the callers of scripts against an agent, on virtual time.

    A SCRIPT is a *.sayna.toml file, or a folder of them.

    \b
    Examples:
      sayna-testing play booking.sayna.toml --agent my_agent:run
      sayna-testing play conversations/ --agent my_agent.web:app --report calls.html
    """  # noqa: D301 - click wants the backspace itself
    loaded = [load_script(path) for path in find_scripts(scripts)]
    play_all(loaded, load_agent(agent_name), report)


@click.command(epilog=EXIT_CODES)
@_scripts
def validate(scripts: Sequence[Path]) -> None:
    """Check scripts without playing them.

    A SCRIPT is a *.sayna.toml file, or a folder of them.

    \b
    Example:
      sayna-testing validate conversations/
    """  # noqa: D301 - click wants the backspace itself
    bad = 0
    for path in find_scripts(scripts):
        try:
            script = load_script(path)
        except Unusable as error:
            bad += 1
            click.echo(error.message, err=True)
        else:
            click.echo(f'{path}: {_count(len(script.turns), "turn")}, "{script.name}"')
    if bad:
        sys.exit(UNUSABLE)


def play_all(scripts: Sequence[Script], agent: Any, report: Path | None) -> None:
    """Play scripts one after the other, tell each, and exit with 1 if one failed."""
    start = time.perf_counter()
    calls = [_play(script, agent) for script in _progress(scripts)]
    if report is not None:
        _write(report, calls)
    passed = sum(call.status == "passed" for call in calls)
    took = time.perf_counter() - start
    click.echo(f"{passed} of {_count(len(calls), 'conversation')} passed in {took:.2f} s")
    if passed < len(calls):
        sys.exit(FAILED)


def _play(script: Script, agent: Any) -> Call:
    with virtual_time(), FakeSaynaServer() as server:
        return asyncio.run(call_played(server, script, agent, _say))


def _say(line: str) -> None:
    """A line of the conversation, its mark in colour."""
    mark = next((mark for mark in _COLOURS if line.endswith(f"  {mark}")), "")
    click.echo(line.removesuffix(mark) + (click.style(mark, fg=_COLOURS[mark]) if mark else ""))


_COLOURS = {"ok": "green", "FAILED": "red", "not run": "yellow"}


def _progress(scripts: Sequence[Script]) -> Iterator[Script]:
    """The scripts, with their number on a terminal when there are many."""
    shown = len(scripts) > 1 and sys.stderr.isatty()
    for number, script in enumerate(scripts, 1):
        if shown:
            click.secho(f"{number}/{len(scripts)} {script.name}", err=True, dim=True)
        yield script


def _write(report: Path, calls: Iterable[Call]) -> None:
    try:
        write(report, map(record, calls))
    except OSError as error:
        raise Unusable(f"--report {report}: {error.strerror}") from None


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number != 1 else ''}"

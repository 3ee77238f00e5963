"""`serve`: the fake as a process of its own, for any language."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from sayna_testing.cli.admin import Admin
from sayna_testing.cli.director import Director
from sayna_testing.cli.ending import EXIT_CODES, Unusable
from sayna_testing.cli.log import tell
from sayna_testing.cli.ready import announced, ready_line
from sayna_testing.cli.scripts import find_scripts, load_script
from sayna_testing.cli.settings import load_settings
from sayna_testing.cli.speed import FastLoop
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import Script
from sayna_testing.server.settings import ServerSettings


@click.command(epilog=EXIT_CODES)
@click.argument("scripts", nargs=-1, type=click.Path(path_type=Path), metavar="[SCRIPT]...")
@click.option("--port", type=click.IntRange(0, 65535), default=3001, show_default=True)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the ready line here too, whole and only for you; removed at the end.",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML or JSON file with fields of ServerSettings.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.1, max=1000),
    default=1.0,
    show_default=True,
    help="How many times faster than real time the server's own time runs.",
)
def serve(
    scripts: Sequence[Path],
    port: int,
    ready_file: Path | None,
    settings_file: Path | None,
    speed: float,
) -> None:
    """Serve a fake Sayna on 127.0.0.1, for clients in any language, until it is stopped.

    The first line on standard output is JSON: url, ws_url, admin_url, report_url, token, pid.
    Whatever happens is told on standard error. Ctrl-C or SIGTERM stop it cleanly.
    Every session that gets ready is played the next SCRIPT, a *.sayna.toml file or a folder of
    them; after the last the first comes again.

    \b
    The admin door (Authorization: Bearer TOKEN):
      GET  /__sayna__/state     sessions, rooms, hooks
      GET  /__sayna__/journal   what happened; ?since=N from entry N on
      GET  /__sayna__/report    the calls so far as a page
      POST /__sayna__/reset     begin again
      POST /__sayna__/faults    {"fault": NAME, ...}: one of server.faults with its keywords, or
                                drop, close, error, recognition, speech with "session", "text"
      POST /__sayna__/script    a script as TOML, played in the next session
      POST /__sayna__/webhook   {"url": URL, "from": NUMBER, "to": NUMBER}

    \b
    Examples:
      sayna-testing serve
      sayna-testing serve conversations/booking.sayna.toml
      sayna-testing serve --port 0 --ready-file fake.json --speed 10
    """  # noqa: D301 - click wants the backspace itself
    settings = load_settings(settings_file) if settings_file else ServerSettings()
    loaded = [load_script(path) for path in find_scripts(scripts)]
    with (
        FakeSaynaServer(settings) as server,
        asyncio.Runner(loop_factory=lambda: FastLoop(speed)) as runner,
    ):
        reason = runner.run(serving(server, loaded, port=port, ready_file=ready_file))
        sessions, requests = len(server.sessions), len(server.requests)
        click.echo(f"stopped by {reason}: {sessions} sessions, {requests} requests", err=True)


async def serving(
    server: FakeSaynaServer, scripts: Sequence[Script], *, port: int, ready_file: Path | None
) -> str:
    """Serve until a signal comes; returns its name. Raises Unusable when the port is taken."""
    token = secrets.token_urlsafe(24)
    director = Director(server, _say)
    await _listen(server, port, Admin(server, token, director))
    with _stop_signals() as stop, announced(ready_line(server, token), ready_file):
        beside = [asyncio.create_task(tell(server.journal, _say))]
        if scripts:
            beside.append(asyncio.create_task(director.play_all(scripts)))
        try:
            return await stop
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)


def _say(line: str) -> None:
    click.echo(line, err=True)


async def _listen(server: FakeSaynaServer, port: int, admin: Admin) -> None:
    try:
        await server.listen(port, door=admin.answer)
    except OSError as error:
        problem = os.strerror(error.errno or 0).lower()
        raise Unusable(
            f"port {port}: {problem}; choose another with --port, or let --port 0 find a free one"
        ) from None


@contextmanager
def _stop_signals() -> Generator[asyncio.Future[str]]:
    """A future of the first SIGINT or SIGTERM; a second one ends the process the hard way."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[str] = loop.create_future()

    def stopped(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set_result, signal.Signals(number).name)

    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

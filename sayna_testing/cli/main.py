"""The command: a group of thin doors to what the package can do."""

from __future__ import annotations

import importlib
import os

import click

from sayna_testing.cli.ending import EXIT_CODES

_COMMANDS = {
    "demo": ("demo", "demo"),
    "play": ("play", "play"),
    "validate": ("play", "validate"),
    "serve": ("serve", "serve"),
    "sign": ("signing", "sign"),
    "explain": ("signing", "explain_"),
}
"""Where each command is: module and name. Loaded when it is called, for some need much."""


class _Lazy(click.Group):
    """A group that imports its commands one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"{__package__}.{module}"), name)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="sayna-client")
@click.pass_context
def main(context: click.Context) -> None:
    """A fake Sayna server and scripted conversations for voice agents."""
    if os.environ.get("NO_COLOR"):
        context.color = False

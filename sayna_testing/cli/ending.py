"""How a command ends: its exit codes, and errors in words instead of tracebacks."""

from __future__ import annotations

from typing import ClassVar

import click

PASSED = 0
FAILED = 1
UNUSABLE = 2

EXIT_CODES = """\b
Exit codes:
  0  everything passed, or the server was stopped as asked
  1  a conversation failed, or a signature does not verify
  2  something could not be used: a script, an agent, a file, a port
"""


class Unusable(click.ClickException):
    """Something the user gave cannot be used; the message says what was expected."""

    exit_code: ClassVar[int] = UNUSABLE

"""The ready line: where a served fake is, as one line of JSON, on stdout and in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from sayna_testing.cli.admin import PREFIX
from sayna_testing.cli.ending import Unusable
from sayna_testing.fake import FakeSaynaServer


def ready_line(server: FakeSaynaServer, token: str) -> str:
    """Addresses, process id and the token of the admin door."""
    admin = f"{server.url}{PREFIX}"
    ready = {
        "url": server.url,
        "ws_url": server.ws_url,
        "admin_url": admin,
        "report_url": f"{admin}report?token={token}",
        "token": token,
        "pid": os.getpid(),
    }
    return json.dumps(ready)


@contextmanager
def announced(line: str, path: Path | None) -> Generator[None]:
    """Say it; the file is whole as soon as it is there, for its owner only, and gone at the end."""
    if path is not None:
        _write(path, line)
    click.echo(line)
    try:
        yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _write(path: Path, line: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", opener=_private) as file:
            file.write(f"{line}\n")
        temporary.replace(path)
    except OSError as error:
        raise Unusable(f"--ready-file {path}: {error.strerror}") from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""Scripts that are named on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sayna_testing.cli.ending import Unusable
from sayna_testing.scripts import Script, ScriptError, load

SUFFIX = ".sayna.toml"


def find_scripts(paths: Iterable[Path]) -> list[Path]:
    """The files that were named, folders searched; raises Unusable for a folder without any."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not inside:
            raise Unusable(f"{path}: expected *{SUFFIX} files in this folder, found none")
        found += inside
    return found


def load_script(path: Path) -> Script:
    """The script in a file; raises Unusable, which names file, line and key."""
    try:
        return load(path)
    except ScriptError as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None

"""Runs the blocks of a guide as the files that they are."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs/guides"
BLOCK = re.compile(
    r'^```(?P<lang>\w+) title="(?P<file>[\w.]+)"\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL
)


def run_guide(name: str, folder: Path, *, conftest: str = "", **environment: str) -> int:
    """Write the blocks of a guide into a folder and run pytest there; how many tests passed."""
    text = (GUIDES / name).read_text(encoding="utf-8")
    blocks: Mapping[str, str] = {match["file"]: match["code"] for match in BLOCK.finditer(text)}
    assert sum(file.endswith(".py") for file in blocks) == text.count("```python")
    for file, code in {"conftest.py": conftest, **blocks}.items():
        (folder / file).write_text(code, encoding="utf-8")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-W", "error"),
            *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
            *("-p", "no:cacheprovider", "--rootdir", str(folder)),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    return int(passed[1])

"""The example projects pass their own tests, each alone in a folder as its users have it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
WITH_TESTS = sorted({path.parent.name for path in EXAMPLES.glob("*/test_*.py")})


@pytest.mark.parametrize("name", WITH_TESTS)
def test_an_example_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / name, tmp_path / name)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    options = ["-o", "asyncio_default_fixture_loop_scope=function", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_example_reaches_into_the_inside() -> None:
    for path in EXAMPLES.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("import sayna_", "from sayna_")):
                module = line.split()[1]
                assert module in ("sayna_client", "sayna_testing", "sayna_testing.speech"), line

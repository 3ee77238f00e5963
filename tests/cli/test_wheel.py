"""What the built wheel can do by itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path


def test_the_demo_runs_from_the_wheel_alone(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path],
        cwd=Path(__file__).parents[2], check=True, capture_output=True, timeout=50,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import sayna_testing, sys; assert sayna_testing.__file__.startswith(sys.argv.pop(1));"
        "from sayna_testing.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, site, "demo", "--report", tmp_path / "demo.html"],
        cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 of 1 conversation passed" in done.stdout
    assert ">booking a table</a>" in (tmp_path / "demo.html").read_text("utf-8")

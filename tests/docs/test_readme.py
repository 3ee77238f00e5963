"""The README is true: what it shows runs, what it points at is there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.docs.guide import BLOCK, run_guide

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_the_first_test_of_the_readme_passes_as_it_stands(tmp_path: Path) -> None:
    assert run_guide("../../README.md", tmp_path) == 1


def test_the_failure_of_the_readme_is_what_pytest_prints(tmp_path: Path) -> None:
    for block in BLOCK.finditer(README):
        code = block["code"].replace('hears("how many"', 'hears("which day"')
        (tmp_path / block["file"]).write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_agent.py"]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )
    printed = iter([line.split() for line in run.stdout.splitlines()])
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    missing = [line for line in shown.splitlines() if not _follows(line.split(), printed)]
    assert missing == [], run.stdout


def _follows(wanted: list[str], printed: Iterator[list[str]]) -> bool:
    """Whether a line is among those that are left; the class of the error may stand in it."""
    return any([word for word in line if not word.endswith("Error:")] == wanted for line in printed)


def test_every_file_the_readme_points_at_is_there() -> None:
    targets = LINK.findall(README)
    assert len(targets) > 5
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_of_the_readme_is_a_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w+)", README.replace("and make", "")))
    assert named == {"demo", "test"}
    assert all(f"\n{target}:" in makefile for target in named)


def test_the_picture_of_a_call_needs_nothing_else() -> None:
    path = ROOT / "docs/assets/call.svg"
    picture = path.read_text(encoding="utf-8")
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in picture
    assert re.findall(r"""(?:href|src)=|url\(|@import""", picture) == []
    assert path.stat().st_size < 100_000

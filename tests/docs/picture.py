"""Draws docs/assets/call.svg, the tutorial's interrupted call: `python -m tests.docs.picture`."""

import tempfile
from pathlib import Path

from tests.docs.guide import run_guide

PICTURE = Path(__file__).parents[2] / "docs/assets/call.svg"
DRAWING = """
import pathlib
import pytest
from sayna_testing.report import render

@pytest.fixture(autouse=True)
def drawn(request, sayna_server):
    yield
    if request.node.name == "test_caller_talks_over_the_greeting":
        pathlib.Path("call.svg").write_text(render(sayna_server, "svg"), encoding="utf-8")
"""


def draw(folder: Path) -> str:
    """Run the tutorial in a folder; the picture of its interrupted call."""
    (folder / "drawing.py").write_text(DRAWING, encoding="utf-8")
    assert run_guide("../tutorial.md", folder, PYTEST_ADDOPTS="-p drawing") == 4
    return (folder / "call.svg").read_text(encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        PICTURE.write_text(draw(Path(name)), encoding="utf-8")

"""The guide on the clock is run as it stands."""

from pathlib import Path

from tests.docs.guide import run_guide


def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    assert run_guide("clock.md", tmp_path) == 5

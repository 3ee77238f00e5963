"""The guide to faults is run as it stands, and names every fault there is."""

from pathlib import Path

from sayna_testing.server.faults import FAULTS
from tests.docs.guide import GUIDES, run_guide


def test_every_block_of_the_faults_guide_runs(tmp_path: Path) -> None:
    assert run_guide("faults.md", tmp_path) == 5


def test_every_fault_is_in_the_guide() -> None:
    text = (GUIDES / "faults.md").read_text(encoding="utf-8")
    assert [name for name in sorted(FAULTS) if f"`{name}" not in text] == []

from pathlib import Path

from tests.docs.guide import GUIDES, run_guide


def test_every_block_of_the_report_guide_runs(tmp_path: Path) -> None:
    assert run_guide("report.md", tmp_path) == 3


def test_the_picture_of_the_report_guide_is_there() -> None:
    assert (GUIDES.parent / "assets" / "report.png").read_bytes().startswith(b"\x89PNG")

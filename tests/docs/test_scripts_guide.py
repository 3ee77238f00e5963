from pathlib import Path

from tests.docs.guide import run_guide


def test_every_block_of_the_guide_to_conversations_runs(tmp_path: Path) -> None:
    assert run_guide("scripts.md", tmp_path) == 27

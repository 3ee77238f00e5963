from pathlib import Path

from tests.docs.guide import run_guide


def test_every_block_of_the_server_guide_runs(tmp_path: Path) -> None:
    assert run_guide("server.md", tmp_path) == 8

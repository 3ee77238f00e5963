import re
from pathlib import Path

from tests.docs.picture import PICTURE, draw

TEXT = re.compile(r"<(?:text|title)[^>]*>([^<]*)<")


def test_every_block_of_the_tutorial_runs_and_its_call_looks_as_pictured(tmp_path: Path) -> None:
    drawn, kept = draw(tmp_path), PICTURE.read_text(encoding="utf-8")
    assert TEXT.findall(drawn) == TEXT.findall(kept), "python -m tests.docs.picture draws it anew"

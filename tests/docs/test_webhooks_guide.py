"""The guide on webhooks is run as it stands: its applications, and its tests of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from sayna_testing import plugin

GUIDE = Path(__file__).parents[2] / "docs/guides/webhooks.md"
BLOCK = re.compile(
    r'^```python title="(?P<file>\w+\.py)"\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL
)

FIXTURE = """
import pytest
from sayna_testing.webhooks import WebhookSigner

@pytest.fixture
def sayna_webhook():
    return WebhookSigner()
"""


def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    blocks = {match["file"]: match["code"] for match in BLOCK.finditer(text)}
    assert len(blocks) == text.count("```python")
    for name, code in blocks.items():
        (tmp_path / name).write_text(code, encoding="utf-8")

    if not hasattr(plugin, "sayna_webhook"):
        (tmp_path / "conftest.py").write_text(FIXTURE, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-o",
            "asyncio_mode=auto",
            "-p",
            "no:cacheprovider",
        ],
        cwd=tmp_path,
        env={**os.environ, "SAYNA_WEBHOOK_SECRET": "the-secret-of-the-guide", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) > 200

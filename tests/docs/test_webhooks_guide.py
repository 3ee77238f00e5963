"""The guide on webhooks is run as it stands: its applications, and its tests of them."""

from pathlib import Path

from sayna_testing import plugin
from tests.docs.guide import run_guide

FIXTURE = """
import pytest
from sayna_testing.webhooks import WebhookSigner

@pytest.fixture
def sayna_webhook():
    return WebhookSigner()
"""


def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    conftest = "" if hasattr(plugin, "sayna_webhook") else FIXTURE
    secret = "the-secret-of-the-guide"
    passed = run_guide("webhooks.md", tmp_path, conftest=conftest, SAYNA_WEBHOOK_SECRET=secret)
    assert passed > 200

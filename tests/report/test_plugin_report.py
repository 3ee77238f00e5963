"""`--sayna-report` with the real plugin: tests and conversation scripts, passed and failed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ("pytester",)

CONFTEST = """
import pytest
from sayna_client import SaynaClient, STTConfig, TTSConfig
import asyncio

STT = STTConfig(provider="deepgram", language="en-GB", sample_rate=16000, channels=1,
                punctuation=True, encoding="linear16", model="nova-3")
TTS = TTSConfig(provider="deepgram", model="aura-2-thalia-en", sample_rate=16000)

async def greet(url):
    client = SaynaClient(url, STT, TTS)
    await client.connect()
    try:
        await client.speak("Hello! How can I help?")
        await asyncio.Event().wait()
    finally:
        await client.disconnect()

@pytest.fixture
def sayna_agent():
    return greet
"""
TEST = """
import asyncio
from conftest import greet

def test_waits_in_vain(sayna_server, sayna_clock):
    async def talk():
        agent = asyncio.create_task(greet(sayna_server.url))
        session = await sayna_server.wait_for_session()
        try:
            await session.wait_for_speech(contains="goodbye", timeout=2)
        finally:
            agent.cancel()
            await asyncio.wait({agent})
    asyncio.run(talk())
"""
SCRIPT = """
name = "greets"
[[turn]]
agent = { contains = "WORD" }
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TEST)
    for name, word in (("good", "How can I help"), ("bad", "Good evening")):
        (pytester.path / f"{name}.sayna.toml").write_text(SCRIPT.replace("WORD", word), "utf-8")
    result = pytester.runpytest_subprocess(
        "-p", "sayna_testing.plugin", "-p", "no:cacheprovider", "--sayna-report", "page.html"
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*Sayna calls: 3, report: page.html*"])
    return pytester.path / "page.html"


def test_the_page_shows_tests_and_scripts_with_what_they_waited_for(run: Path, tab: Any) -> None:
    tab.open(run.as_uri())
    assert tab.texts(".calls tbody a") == [
        "bad.sayna.toml::greets",
        "test_it.py::test_waits_in_vain",
        "good.sayna.toml::greets",
    ]
    assert tab.texts(".calls tbody .status") == ["failed", "failed", "passed"]
    bad, vain = tab.texts(".calls .reason")
    assert bad.startswith("bad.sayna.toml:3: expected: ")
    assert 'no "Good evening" in it' in bad
    assert 'containing "goodbye" within 2 s' in vain
    tab.click("a[href='#call-2']")
    tab.until("!document.querySelector('#call').hidden")
    shown = tab.texts("#sheet .expectations .item text")
    assert shown == ["a ready session within 5 s", 'speak containing "goodbye" within 2 s']
    assert "How can I help" in tab.text("#events .failing")
    assert re.search(r'"text": "Hello! How can I help\?"', tab.text("#frame"))

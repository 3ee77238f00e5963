"""`play`, `validate` and `demo`: conversations on the command line, in virtual time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sayna_testing.cli import main
from tests.cli.serving import COMMAND

GREETING = """
name = "a greeting"

[[turn]]
agent = { contains = "how can I help", within = "1s" }

[[turn]]
caller = "Thank you, goodbye"
agent = { contains = "goodbye" }
"""
AGENT = """
import asyncio
from sayna_client import SaynaClient, STTConfig, TTSConfig

STT = STTConfig(provider="deepgram", language="en-GB", sample_rate=16000, channels=1,
                punctuation=True, encoding="linear16", model="nova-3")
TTS = TTSConfig(provider="deepgram", model="aura-2-thalia-en", sample_rate=16000)

async def run(url):
    client = SaynaClient(url, STT, TTS)
    async def answer(result):
        if result.is_speech_final:
            await client.speak("Goodbye!")
    client.register_on_stt_result(answer)
    await client.connect()
    try:
        await client.speak("Hello! How can I help?")
        await asyncio.Event().wait()
    finally:
        await client.disconnect()

async def broken(url):
    raise OSError("no line")

number = 5
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a script and an agent whose module has a name of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "greeting.sayna.toml").write_text(GREETING, "utf-8")
    (tmp_path / f"agent_{abs(hash(tmp_path))}.py").write_text(AGENT, "utf-8")
    return tmp_path


def run(*arguments: str | Path, color: bool = False) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], color=color)


def agent(here: Path, name: str = "run") -> str:
    return f"{next(here.glob('agent_*.py')).stem}:{name}"


def test_a_conversation_that_passes_is_told_and_exits_with_0(here: Path) -> None:
    played = run("play", "greeting.sayna.toml", "--agent", agent(here))
    assert played.exit_code == 0, played.output
    assert re.search(r"agent   Hello! How can I help\? +ok\n", played.output)
    assert re.search(r"\n1 of 1 conversation passed in \d+\.\d\d s\n$", played.output)


def test_a_conversation_that_fails_says_why_and_exits_with_1(here: Path) -> None:
    path = here / "greeting.sayna.toml"
    path.write_text(GREETING.replace('"goodbye"', '"see you"'), "utf-8")
    played = run("play", path, "--agent", agent(here), "--report", "calls.html")
    assert played.exit_code == 1
    assert "FAILED" in played.output
    assert "greeting.sayna.toml:7: turn 2 failed" in played.output
    assert 'no "see you" in it' in played.output
    assert "0 of 1 conversation passed" in played.output
    page = (here / "calls.html").read_text("utf-8")
    assert ">a greeting</a>" in page
    assert "containing &#34;see you&#34;" in page


def test_a_folder_of_scripts_is_played_and_drawn(here: Path) -> None:
    (here / "more").mkdir()
    (here / "more" / "two.sayna.toml").write_text(GREETING.replace("a gr", "another gr"), "utf-8")
    played = run("play", ".", "--agent", agent(here), "--report", "calls.html")
    assert "2 of 2 conversations passed" in played.output
    page = (here / "calls.html").read_text("utf-8")
    assert re.findall(r'#call-\d">(.*?)</a>', page) == ["a greeting", "another greeting"]


def test_a_terminal_is_told_how_far_many_scripts_have_come(here: Path) -> None:
    (here / "two.sayna.toml").write_text(GREETING.replace("a gr", "another gr"), "utf-8")
    terminal, stderr = os.openpty()
    command = [*COMMAND, "play", ".", "--agent", agent(here)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=stderr, timeout=30, check=True)
    told = os.read(terminal, 4096).decode()
    os.close(stderr)
    os.close(terminal)
    assert "1/2 a greeting" in told
    assert "2/2 another greeting" in told


def test_an_agent_that_breaks_down_is_a_failed_conversation(here: Path) -> None:
    played = run("play", "greeting.sayna.toml", "--agent", agent(here, "broken"))
    assert played.exit_code == 1
    assert "a greeting  FAILED\nthe agent broke down: OSError: no line" in played.output


def test_marks_have_colours_where_colours_are_wanted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("play", "greeting.sayna.toml", "--agent", agent(here))
    assert "\x1b[32mok\x1b[0m" in run(*arguments, color=True).output
    assert "\x1b" not in run(*arguments).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(*arguments, color=True).output


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", '--agent: expected MODULE:NAME, got ""'),
        ("nowhere", '--agent: expected MODULE:NAME, got "nowhere"'),
        ("no_such_module_here:run", "No module named 'no_such_module_here'"),
        ("json:run", "module 'json' has no attribute 'run'"),
        ("json:__doc__", "expected a callable, got str"),
    ],
)
def test_an_agent_that_cannot_be_used_is_refused(here: Path, name: str, words: str) -> None:
    refused = run("play", "greeting.sayna.toml", "--agent", name)
    assert refused.exit_code == 2
    assert words in refused.output


def test_what_is_no_script_is_refused_with_its_place(here: Path) -> None:
    (here / "bad.sayna.toml").write_text('name = "x"\n\n[[turn]]\ncallerr = "hi"\n', "utf-8")
    refused = run("play", "bad.sayna.toml", "--agent", agent(here))
    assert refused.exit_code == 2
    assert (
        'bad.sayna.toml:4: turn[1].callerr: unknown key; did you mean "caller"?' in refused.output
    )
    missing = run("play", "gone.sayna.toml", "--agent", agent(here))
    assert missing.output == "Error: gone.sayna.toml: No such file or directory\n"
    (here / "empty").mkdir()
    empty = run("validate", "empty")
    assert empty.output == "Error: empty: expected *.sayna.toml files in this folder, found none\n"


def test_a_report_that_cannot_be_written_is_refused(here: Path) -> None:
    path = here / "greeting.sayna.toml" / "calls.html"
    refused = run("play", "greeting.sayna.toml", "--agent", agent(here), "--report", path)
    assert refused.exit_code == 2
    assert f"\nError: --report {path}: " in refused.output


def test_validate_tells_good_and_bad_scripts(here: Path) -> None:
    good = run("validate", "greeting.sayna.toml")
    assert (good.exit_code, good.output) == (0, 'greeting.sayna.toml: 2 turns, "a greeting"\n')
    (here / "bad.sayna.toml").write_text("name = 5", "utf-8")
    both = run("validate", ".")
    assert both.exit_code == 2
    assert "bad.sayna.toml:1: name:" in both.output
    assert "2 turns" in both.stdout


def test_the_demo_passes(tmp_path: Path) -> None:
    played = run("demo", "--report", tmp_path / "demo.html")
    assert played.exit_code == 0, played.output
    assert "1 of 1 conversation passed" in played.output
    assert ">booking a table</a>" in (tmp_path / "demo.html").read_text("utf-8")

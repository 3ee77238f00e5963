import re
from pathlib import Path

import click
from click.testing import CliRunner

from sayna_client import SaynaClient, STTConfig, TTSConfig
from sayna_testing import FakeSaynaServer
from sayna_testing.cli import main
from sayna_testing.cli.settings import load_settings
from sayna_testing.report.text import timeline
from tests.docs.guide import GUIDES

TEXT = (GUIDES / "command-line.md").read_text("utf-8")


def test_the_guide_tells_the_commands_there_are() -> None:
    assert isinstance(main, click.Group)
    commands = main.list_commands(click.Context(main))
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == commands
    assert set(re.findall(r"sayna-testing (\w+)", TEXT)) <= {*commands}


def test_the_settings_of_the_guide_can_be_loaded(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "fake.toml"
    path.write_text(block, "utf-8")
    settings = load_settings(path)
    assert settings.auth_required
    assert settings.livekit is None


def test_what_the_guide_explains_is_what_is_explained() -> None:
    signed = CliRunner().invoke(main, ["sign", "--at", "1767225600"]).stdout_bytes
    told = CliRunner().invoke(main, ["explain", "-"], input=signed).output
    (shown,) = re.findall(r"^The signature fits, .*$", TEXT, re.MULTILINE)
    assert re.sub(r"\d+ s (ago|ahead)", "", told.strip()) == re.sub(r"\d+ s ago", "", shown)


async def test_the_guide_shows_what_serve_prints(sayna_server: FakeSaynaServer) -> None:
    stt, tts = STTConfig(provider="deepgram", model="nova-3"), TTSConfig(provider="cartesia")
    client = SaynaClient(sayna_server.url, stt, tts, stream_id="call-42")
    async with client.connect():
        await client.say("Hello! How can I help?")
        printed = timeline(sayna_server.journal, keys=True)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    assert [line.split()[1:] for line in printed] == [
        line.split()[1:] for line in shown.splitlines()
    ]

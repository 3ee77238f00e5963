"""The parts of `serve` that can be looked at alone: the loop, the log, the ready file, stopping."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest

from sayna_testing.cli.ending import Unusable
from sayna_testing.cli.log import Log, tell
from sayna_testing.cli.ready import announced
from sayna_testing.cli.serve import serving
from sayna_testing.cli.speed import FastLoop
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.scripts import loads
from sayna_testing.server.journal import Journal


def test_seconds_of_a_fast_loop_are_shorter() -> None:
    async def wait() -> float:
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time() - start

    start = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: FastLoop(100)) as runner:
        assert runner.run(wait()) >= 5
    assert time.monotonic() - start < 2.5


def test_the_log_knows_what_audio_is_from_configs_told_before() -> None:
    journal, log = Journal(), Log()
    config = {"tts_config": {"sample_rate": 8000}}
    journal.record("config", flow=">", session="ws-1", data=config)
    assert len(list(log.lines(journal.since(log.told)))) == 1
    journal.record("audio", flow="<", session="ws-1", audio=bytes(16000))
    (line,) = log.lines(journal.since(log.told))
    assert line.endswith("ws-1   < audio     1.00 s")


async def test_the_log_folds_audio_until_something_else_happens() -> None:
    journal, lines = Journal(), asyncio.Queue[str]()
    telling = asyncio.create_task(tell(journal, lines.put_nowait))
    journal.record("open", flow=">", session="ws-1")
    assert "open" in await lines.get()
    for _ in range(3):
        journal.record("audio", flow="<", session="ws-1", audio=bytes(480))
        await asyncio.sleep(0)
    journal.record("close", flow="<", session="ws-1")
    assert [(await lines.get()).split()[3:] for _ in range(2)] == [
        ["audio", "0.03", "s", "in", "3", "frames"],
        ["close"],
    ]
    telling.cancel()


def test_the_log_tells_audio_alone_after_a_while() -> None:
    async def listen() -> str:
        journal, lines = Journal(), asyncio.Queue[str]()
        telling = asyncio.create_task(tell(journal, lines.put_nowait))
        journal.record("audio", flow="<", session="ws-1", audio=bytes(480))
        line = await lines.get()
        telling.cancel()
        return line

    with asyncio.Runner(loop_factory=lambda: FastLoop(50)) as runner:
        assert runner.run(listen()).endswith("audio     0.01 s")


async def test_the_log_begins_again_when_the_journal_does() -> None:
    journal, lines = Journal(), asyncio.Queue[str]()
    telling = asyncio.create_task(tell(journal, lines.put_nowait))
    for _ in range(3):
        journal.record("open", flow=">", session="ws-1")
    for _ in range(3):
        await lines.get()
    journal.clear()
    journal.record("speak", flow=">", session="ws-2", data={"text": "again"})
    assert 'speak     "again"' in await lines.get()
    telling.cancel()


def test_a_ready_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no" / "ready.json"
    with pytest.raises(Unusable, match=r"--ready-file .*: No such file"), announced("{}", path):
        pass


async def test_serving_ends_with_the_name_of_the_signal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ready.json"
    script = loads('name = "waits"\n[[turn]]\nwait = "1s"')
    with FakeSaynaServer() as server:
        running = asyncio.create_task(serving(server, [script], port=0, ready_file=path))
        server.journal.record("open", flow=">", session="ws-1")
        while not path.exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0)
        assert json.loads(path.read_text("utf-8"))["url"] == server.url
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == "SIGTERM"
    assert not path.exists()
    assert json.loads(capsys.readouterr().out)["ws_url"].endswith("/ws")


async def test_serving_on_a_taken_port_is_refused() -> None:
    with FakeSaynaServer() as server, FakeSaynaServer() as other:
        taken = int(other.url.rpartition(":")[2])
        with pytest.raises(Unusable, match=f"port {taken}: address already in use"):
            await serving(server, (), port=taken, ready_file=None)


def test_without_a_file_the_ready_line_is_said_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with announced('{"url": 1}', None):
        assert capsys.readouterr().out == '{"url": 1}\n'

"""What pytest prints of a failed test that uses the SDK holds no key, however much it prints."""

import os
import subprocess
import sys
from pathlib import Path

SECRET = "S3CR3T-VALUE"
FAILING = """
import asyncio, contextlib, os
import pytest
from sayna_client import *
from tests.client.http_peer import Answer, http_peer
from tests.client.peer import peer

def key():
    return os.environ["KEY"]

def google():
    return GoogleAuth(credentials='{"private_key":"' + key() + '"},')

def client(url, **options):
    auth = ApiKeyAuth(api_key=key())
    tts = TTSConfig(provider="deepgram", auth=auth)
    return SaynaClient(
        f"{url}?api_key={key()}", STTConfig(provider="deepgram", model="m", auth=auth), tts,
        api_key=key(), **options,
    )

async def unready(wire):
    await wire.handshake()
    await wire.receive_until_closed()

async def refusing(wire):
    await wire.handshake()
    await wire.receive()
    wire.send('{"type":"error","message":"no"}')
    await wire.receive_until_closed()

async def hanging_up(wire):
    await wire.reader.readuntil(b"\\r\\n\\r\\n")

@pytest.mark.parametrize("answer", [Answer(400), Answer(hang_up=True), Answer(never=True)])
def test_rest(answer):
    async def go():
        async with http_peer(answer) as server, client(server.url) as one:
            await one.speak_rest("hi", one.tts_config, timeout=0.2)
    asyncio.run(go())

def test_removal():
    async def go():
        async with http_peer(Answer(hang_up=True)) as server, client(server.url) as one:
            await one.remove_livekit_participant("r", "i")
    asyncio.run(go())

def test_nobody_there():
    async def go():
        async with client("http://127.0.0.1:1") as one:
            await one.health(retries=0)
    asyncio.run(go())

@pytest.mark.parametrize("script", [unready, refusing, hanging_up])
def test_session(script):
    async def go():
        limits = Limits(ready=0.05, close=0.05)
        async with peer(script) as url, client(url, limits=limits) as one:
            await one.connect()
    asyncio.run(go())

def test_google():
    resolve_google_credentials(google().credentials)

def test_google_session():
    async def go():
        async with client("http://127.0.0.1:1") as one:
            one.tts_config = TTSConfig(provider="google", auth=google())
            await one.connect()
    asyncio.run(go())

def test_constructor():
    client("ftp://host")

def test_receiver():
    WebhookReceiver(key())
"""


def test_no_key_is_printed_when_a_test_fails(tmp_path: Path) -> None:
    file = tmp_path / "test_failing.py"
    file.write_text(FAILING)
    options = ["-q", "--tb=long", "--showlocals", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, file],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "KEY": SECRET, "PYTHONPATH": "."},
    )
    assert "12 failed" in done.stdout, done.stdout
    assert [line for line in done.stdout.splitlines() if SECRET in line] == []

"""Every test here looks at the plugin from outside, through a pytest of its own."""

import textwrap
from collections.abc import Callable

import freezegun
import httpx
import hypothesis.strategies
import numpy as np
import pytest

import sayna_testing._pytest.faking
import sayna_testing._pytest.servers
import sayna_testing.webhooks.signer

# Loaded here once: pytester forgets what its own runs import, and some of it loads only once.
LOADED = (freezegun, hypothesis.strategies, httpx, np, sayna_testing)

AGENT = '''
"""An agent as small as can be: it connects, greets and answers each final."""

import contextlib

import aiohttp

CONFIG = {
    "type": "config",
    "stt_config": {
        "provider": "deepgram",
        "language": "en-US",
        "sample_rate": 16000,
        "channels": 1,
        "punctuation": True,
        "encoding": "linear16",
        "model": "nova-3",
    },
    "tts_config": {"provider": "deepgram", "model": "aura-asteria-en", "sample_rate": 16000},
}


@contextlib.asynccontextmanager
async def connected(server):
    async with aiohttp.ClientSession(connector=server.connector()) as http:
        async with http.ws_connect(server.ws_url) as ws:
            await ws.send_json(CONFIG)
            assert (await ws.receive_json())["type"] == "ready"
            yield ws


async def converse(server):
    """One short conversation, with a pause."""
    import asyncio

    async with connected(server) as ws:
        session = server.sessions[-1]
        await ws.send_json({"type": "speak", "text": "Hello! How can I help?"})
        assert await session.wait_for_speech() == "Hello! How can I help?"
        await session.transcribe("a table for two")
        await asyncio.sleep(0.01)
'''


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run a suite of one test file; returns what pytest said.

    In this process, which is fast, unless the suite leaves things behind.
    """
    pytester.makepyfile(agent=AGENT)

    def run(test: str, *args: str, ini: str = "", apart: bool = False) -> pytest.RunResult:
        scope = "" if "no:asyncio" in args else "asyncio_default_fixture_loop_scope = function"
        pytester.makeini(f"[pytest]\n{scope}\n{ini}")
        pytester.makepyfile(test_it=textwrap.dedent(test))
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start("-p", "no:cacheprovider", "-W", "error", "--strict-markers", *args)

    return run

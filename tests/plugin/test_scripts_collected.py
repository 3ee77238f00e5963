"""`*.sayna.toml` files are tests of their own."""

import pytest

pytest_plugins = ("pytester",)

SCRIPT = """
name = "a greeting"

[[turn]]
agent = { contains = "how can I help", within = "1s" }

[[turn]]
caller = "A table for two"
agent = { matches = "what time|when" }

[[turn]]
hang_up = true
"""
AGENT = """
import json
import aiohttp
import pytest
from sayna_client.origins import connector_for

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

async def agent(url):
    async with aiohttp.ClientSession(connector=connector_for(url)) as http:
        async with http.ws_connect(url + "/ws") as ws:
            await ws.send_json(CONFIG)
            async for message in ws:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                frame = json.loads(message.data)
                if frame["type"] == "ready":
                    await ws.send_json({"type": "speak", "text": "Hello! How can I help?"})
                elif frame["type"] == "stt_result" and frame["is_final"]:
                    await ws.send_json({"type": "speak", "text": ANSWER})

ANSWER = "At what time?"

@pytest.fixture
def sayna_agent():
    return agent
"""


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    if "no:asyncio" not in args:
        args = ("-o", "asyncio_default_fixture_loop_scope=function", *args)
    return pytester.runpytest("-p", "no:cacheprovider", "-W", "error", "--strict-markers", *args)


@pytest.fixture
def conversation(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(AGENT)
    (pytester.path / "greeting.sayna.toml").write_text(SCRIPT, encoding="utf-8")


@pytest.mark.usefixtures("conversation")
@pytest.mark.parametrize("plugins", [(), ("-p", "no:asyncio", "-p", "no:anyio")])
def test_a_script_passes(pytester: pytest.Pytester, plugins: tuple[str, ...]) -> None:
    result = run(pytester, "-v", *plugins)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["greeting.sayna.toml::a greeting PASSED*"])


@pytest.mark.usefixtures("conversation")
def test_a_script_fails_with_its_line(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(AGENT.replace("At what time?", "How many?"))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*greeting.sayna.toml:*", "*--- Sayna ---*", '*"How many?"*'])


@pytest.mark.usefixtures("conversation")
def test_a_bad_script_is_refused_with_file_line_and_key(pytester: pytest.Pytester) -> None:
    (pytester.path / "bad.sayna.toml").write_text('name = "x"\nturns = 1\n', encoding="utf-8")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bad.sayna.toml:2: turns: *"])


def test_a_script_needs_an_agent(pytester: pytest.Pytester) -> None:
    (pytester.path / "greeting.sayna.toml").write_text(SCRIPT, encoding="utf-8")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'sayna_agent' not found*"])

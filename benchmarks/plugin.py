"""Time the pytest plugin against the tools one would take instead, interleaved in one run.

    .venv/bin/python benchmarks/plugin.py

Every row starts a pytest of its own for each contender in turn, in `.venv/bench`, where they are
all installed. A row of tests is told per test: the first one, which imports and owes the garbage
collector a look at all that, and what an empty test takes are left out. Medians are printed; the
exit code is 1 when a target is missed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv/bench/bin/python"
MANY = 300
ROUNDS = int(os.environ.get("ROUNDS", "7"))

HEADER = """
import asyncio, json, threading
import pytest
MANY = pytest.mark.parametrize("n", range(COUNT))
"""
APP = """
from aiohttp import web
async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data)
    return ws
@pytest.fixture
def app():
    app = web.Application()
    app.router.add_get("/ws", echo)
    return app
"""
CONFIG = """
CONFIG = {"type": "config", "audio": False}
"""
WATCH = """
import gc, pathlib, time
ENDS = []
def pytest_runtest_logfinish():
    if not ENDS:
        gc.collect()
    ENDS.append((time.process_time(), time.perf_counter()))
def pytest_sessionfinish():
    each = [(b - a) / max(len(ENDS) - 1, 1) for a, b in zip(ENDS[0], ENDS[-1])]
    pathlib.Path("took").write_text("{} {} {}".format(ENDS[-1][0], *each))
"""


@dataclass(frozen=True)
class Contender:
    """A suite for one tool: its plugins, and what a test does."""

    plugins: tuple[str, ...]
    code: str


def suite(plugins: tuple[str, ...], *parts: str) -> Contender:
    return Contender(plugins, "\n".join(textwrap.dedent(part) for part in (HEADER, *parts)))


SAYNA = ("sayna",)
AIOHTTP = ("asyncio", "aiohttp")
PLAIN = suite((), "@MANY\ndef test(n): pass")
PLAIN_ASYNC = suite(("asyncio",), "@MANY\nasync def test(n): pass")

FIXTURE: Mapping[str, Contender] = {
    "sayna_server": suite(SAYNA, "@MANY\ndef test(sayna_server, n): pass"),
    "aiohttp_server": suite(
        AIOHTTP, APP, "@MANY\nasync def test(aiohttp_server, app, n): await aiohttp_server(app)"
    ),
    "aiohttp_client": suite(
        AIOHTTP, APP, "@MANY\nasync def test(aiohttp_client, app, n): await aiohttp_client(app)"
    ),
    "respx": suite(("respx",), "@MANY\ndef test(respx_mock, n): pass"),
    "pytest-httpserver": suite(("pytest_httpserver",), "@MANY\ndef test(httpserver, n): pass"),
}
ROUND_TRIP: Mapping[str, Contender] = {
    "sayna_server": suite(
        ("asyncio", *SAYNA),
        CONFIG,
        """
        import aiohttp
        @MANY
        async def test(sayna_server, n):
            async with aiohttp.ClientSession(connector=sayna_server.connector()) as http:
                async with http.ws_connect("http://sayna.invalid/ws") as ws:
                    await ws.send_json(CONFIG)
                    assert (await ws.receive_json())["type"] == "ready"
        """,
    ),
    "aiohttp_client": suite(
        AIOHTTP,
        APP,
        """
        @MANY
        async def test(aiohttp_client, app, n):
            client = await aiohttp_client(app)
            async with client.ws_connect("/ws") as ws:
                await ws.send_json({"type": "config"})
                assert (await ws.receive_json())["type"] == "config"
        """,
    ),
    "starlette": suite(
        (),
        """
        from starlette.applications import Starlette
        from starlette.routing import WebSocketRoute
        from starlette.testclient import TestClient
        async def echo(ws):
            await ws.accept()
            await ws.send_json(await ws.receive_json())
            await ws.close()
        app = Starlette(routes=[WebSocketRoute("/ws", echo)])
        @MANY
        def test(n):
            with TestClient(app) as client, client.websocket_connect("/ws") as ws:
                ws.send_json({"type": "config"})
                assert ws.receive_json()["type"] == "config"
        """,
    ),
}
# The least that aiohttp takes on both ends, with nothing of ours but the transport.
BARE = suite(
    ("asyncio",),
    """
    import aiohttp
    from aiohttp import web
    from sayna_testing.server.memory import MemoryConnector
    async def echo(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            await ws.send_str(message.data)
        return ws
    @MANY
    async def test(n):
        connector = MemoryConnector(web.Server(echo, access_log=None))
        async with aiohttp.ClientSession(connector=connector) as http:
            async with http.ws_connect("http://echo.invalid/ws") as ws:
                await ws.send_json({"type": "config"})
                assert (await ws.receive_json())["type"] == "config"
    """,
)
OWN_SERVER: Mapping[str, Contender] = {
    "sayna_server": suite(
        SAYNA,
        """
        import socket
        @MANY
        def test(sayna_server, n):
            host, port = sayna_server.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as client:
                client.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                assert client.recv(15).endswith(b" 200 OK")
        """,
    ),
    "pytest-httpserver": suite(
        (),
        """
        import socket
        from pytest_httpserver import HTTPServer
        @MANY
        def test(n):
            with HTTPServer(port=0) as server:
                server.expect_request("/").respond_with_data("ok")
                with socket.create_connection((server.host, server.port)) as client:
                    client.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                    assert client.recv(15).endswith(b" 200 OK")
        """,
    ),
}
CALL = """
    import aiohttp, time
    from aiohttp import web
    async def call(ws, frames):
        async def mic():
            for _ in range(9000):
                await ws.send_bytes(bytes(640))
                await asyncio.sleep(0.02)
        talking = asyncio.ensure_future(mic() if frames else asyncio.sleep(180))
        for _ in range(60):
            await ws.send_json({"type": "clear"})
            await asyncio.sleep(3)
        await talking
"""


def timed_call(frames: int) -> Mapping[str, Contender]:
    return {
        "sayna_clock": suite(
            ("asyncio", *SAYNA),
            CALL,
            f"""
            CONFIG = {{"type": "config", "stt_config": {{"provider": "deepgram",
                "language": "en-US", "sample_rate": 16000, "channels": 1,
                "punctuation": True, "encoding": "linear16",
                "model": "nova-3"}}, "tts_config": {{"provider": "deepgram", "model": "aura"}}}}
            @MANY
            async def test(sayna_server, sayna_clock, n):
                async with aiohttp.ClientSession(connector=sayna_server.connector()) as http:
                    async with http.ws_connect("http://sayna.invalid/ws") as ws:
                        await ws.send_json(CONFIG)
                        assert (await ws.receive_json())["type"] == "ready"
                        await call(ws, {frames})
                assert sayna_clock.elapsed > 179
            """,
        ),
        "looptime": suite(
            ("asyncio", "looptime_plugin"),
            APP,
            CALL,
            f"""
            from aiohttp.test_utils import TestClient, TestServer
            async def swallow(request):
                ws = web.WebSocketResponse()
                await ws.prepare(request)
                async for message in ws:
                    pass
                return ws
            @MANY
            @pytest.mark.looptime(start=0)
            async def test(n):
                app = web.Application()
                app.router.add_get("/ws", swallow)
                async with TestClient(TestServer(app)) as client:
                    async with client.ws_connect("/ws") as ws:
                        await call(ws, {frames})
                assert asyncio.get_running_loop().time() > 179
            """,
        ),
    }


def spoken_call(frames: int) -> Mapping[str, Contender]:
    """The same three minutes with an agent and a caller, 18 answers, all read from the sound.

    Nobody else reads it: looptime's call is the one without words.
    """
    return {
        "sayna_server.caller": suite(
            ("asyncio", *SAYNA),
            f"""
            from sayna_client import SaynaClient, STTConfig, TTSConfig
            STT = STTConfig(provider="deepgram", model="nova-3")
            TTS = TTSConfig(provider="deepgram", model="aura", sample_rate=16000)
            async def mic(client):
                for _ in range({frames}):
                    await client.on_audio_input(bytes(640))
                    await asyncio.sleep(0.02)
            async def agent(url):
                client = SaynaClient(url, STT, TTS)
                async def answer(result):
                    if not result.is_final:
                        await client.clear()
                    elif result.is_speech_final:
                        await client.speak(f"You said {{result.transcript}}. What else can I do?")
                client.on("stt_result", answer)
                async with client.connect():
                    await client.speak("Hello! How can I help you today?")
                    talking = asyncio.ensure_future(mic(client))
                    await client.wait_for("closed")
                    await talking
            @MANY
            async def test(sayna_server, sayna_clock, n):
                answering = asyncio.ensure_future(agent(sayna_server.url))
                caller = sayna_server.caller(await sayna_server.wait_for_session())
                await caller.hears("how can I help")
                for question in range(18):
                    await caller.says(f"Here is another question, number {{question}}")
                    assert f"number {{question}}" in await caller.hears("you said", within=1)
                await sayna_clock.advance(180 - sayna_clock.elapsed)
                await caller.hangs_up()
                await answering
            """,
        ),
        "looptime": timed_call(frames)["looptime"],
    }


class Took(NamedTuple):
    """Seconds: processor time of all, then of each test after the first, then real time of each."""

    all: float
    each: float
    each_real: float


def run(contender: Contender, count: int, folder: Path) -> Took:
    """Run a pytest with so many tests."""
    (folder / "test_it.py").write_text(contender.code.replace("COUNT", str(count)))
    arguments = [argument for plugin in contender.plugins for argument in ("-p", plugin)]
    if "asyncio" in contender.plugins:
        arguments += [
            "-o",
            "asyncio_mode=auto",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ]
    done = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return Took(*map(float, (folder / "took").read_text().split()))


def per_test(
    rows: Mapping[str, Contender],
    many: int,
    folder: Path,
    *,
    real: bool = False,
    base: Contender = PLAIN,
) -> dict[str, float]:
    """Median milliseconds a test of each contender takes, without what the empty test `base` takes.

    Processor time, which other work on the machine does not change, unless `real` time is asked
    for: some contenders mostly wait.
    """
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        empty = run(base, MANY, folder)
        for name, contender in rows.items():
            took = run(contender, many + 1, folder)
            each = took.each_real - empty.each_real if real else took.each - empty.each
            times[name].append(each * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def start_up(folder: Path) -> dict[str, float]:
    """Median milliseconds that each plugin adds to a pytest with one empty test."""
    plugins = {
        "sayna": SAYNA,
        "pytest-httpserver": ("pytest_httpserver",),
        "respx": ("respx",),
        "pytest-aiohttp": AIOHTTP,
    }
    times: dict[str, list[float]] = {name: [] for name in plugins}
    for number in range(12 * ROUNDS):  # a run varies by far more than ours takes
        empty = run(PLAIN, 1, folder).all
        for name, loaded in plugins.items():
            if name == "sayna" or number % 4 == 0:
                took = run(Contender(loaded, PLAIN.code), 1, folder).all
                times[name].append((took - empty) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def told(what: str, times: Mapping[str, float], target: str, met: bool) -> bool:
    """One row of the table."""
    ours, *others = [f"{name} {value:.2f}" for name, value in times.items()]
    print(f"| {what} | {', '.join(others)} | {ours} | {target} | {'yes' if met else 'NO'} |")
    return met


def main() -> int:
    if not PYTHON.exists():
        sys.exit("the other tools are not installed: make .venv/.bench")
    print("| what, in ms | others | ours | target | met |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(WATCH)
        up = start_up(folder)
        met = [told("plugin on pytest start-up", up, "at most 10", up["sayna"] <= 10)]
        one = per_test(FIXTURE, MANY, folder)
        quick = one["sayna_server"] <= max(0.10, one["aiohttp_server"] / 4)
        met += [told("fixture set-up and tear-down", one, "0.10, or 4x aiohttp_server", quick)]
        trip = per_test(ROUND_TRIP, MANY, folder)
        faster = trip["sayna_server"] < trip["aiohttp_client"]
        met += [told("test with a WebSocket round trip", trip, "below aiohttp_client", faster)]
        two = {name: ROUND_TRIP[name] for name in ("sayna_server", "aiohttp_client")}
        two["aiohttp alone, in memory"] = BARE
        added = per_test(two, MANY, folder, base=PLAIN_ASYNC)
        told("the same, without pytest-asyncio's part", added, "none", met=True)
        own = per_test(OWN_SERVER, 10, folder, real=True)
        met += [told("own TCP server", own, "at most 2", own["sayna_server"] <= 2)]
        for frames, limit in ((0, 60), (9000, 400)):
            call = per_test(timed_call(frames), 3, folder)
            title = f"call with {frames} mic frames"
            within = next(iter(call.values())) <= limit
            met += [told(f"3-minute {title}", call, f"at most {limit}", within)]
            spoken = per_test(spoken_call(frames), 3, folder)
            told(f"spoken 3-minute {title}", spoken, "none", met=True)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Time the SDK against the published 0.0.18, interleaved in one run; print medians and ratios.

    .venv/bin/python benchmarks/sdk.py

Two interpreters, ours and that of `.venv/peer`, take turns. Messages come from a plain socket
server in a process of its own, written in one go. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROUNDS = 15
IMPORTS = 15
ROOT = Path(__file__).parent.parent
OURS = ROOT / ".venv/bin/python"
PEER = ROOT / ".venv/peer/bin/python"

# Answers every upgrade; for each command that names a burst it sends that burst.
SERVER = r"""
import base64, hashlib, socket, struct, threading
def frame(opcode, payload):
    n = len(payload)
    size = bytes([n]) if n < 126 else bytes([126]) + struct.pack("!H", n)
    return bytes([0x80 | opcode]) + size + payload
RESULT = (b'{"type":"stt_result","transcript":"I would like a table for two","is_final":false,'
          b'"is_speech_final":false,"confidence":0.9921875}')
END = frame(1, b'{"type":"tts_playback_complete","timestamp":1}')
BURSTS = {b"text": frame(1, RESULT) * 50_000 + END,
          b"audio": frame(2, b"\0" * 640) * 50_000 + END}
def received(file):
    first, second = file.read(2)
    length = second & 127
    if length == 126:
        length, = struct.unpack("!H", file.read(2))
    mask = file.read(4)
    return bytes(b ^ mask[i % 4] for i, b in enumerate(file.read(length)))
def serve(connection):
    file, key = connection.makefile("rb"), b""
    while (line := file.readline()) != b"\r\n":
        if line.lower().startswith(b"sec-websocket-key"):
            key = line.split(b": ")[1].strip()
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.sendall(b"HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                       b"sec-websocket-accept: " + accept + b"\r\n\r\n")
    received(file)
    connection.sendall(frame(1, b'{"type":"ready","stream_id":"s"}'))
    try:
        while command := received(file):
            for name, burst in BURSTS.items():
                if name in command:
                    connection.sendall(burst)
    except (ValueError, OSError):
        pass
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

# Runs in both interpreters: for each line it reads it measures one turn of that kind.
CLIENT = r"""
import asyncio, sys, time
from sayna_client import SaynaClient, STTConfig, TTSConfig
STT = STTConfig(provider="d", language="en", sample_rate=16000, channels=1, punctuation=True,
                encoding="linear16", model="m")
TTS = TTSConfig(provider="d", model="m")
RESULT = ('{"type":"stt_result","transcript":"I would like a table for two","is_final":false,'
          '"is_speech_final":false,"confidence":0.9921875}')
CALLS = 20_000
async def dispatch(client):
    if hasattr(client, "_handle_text_message"):
        began = time.perf_counter()
        for _ in range(CALLS):
            await client._handle_text_message(RESULT)
    else:
        from sayna_client.codec import decode
        emit = client._dispatcher.emit
        began = time.perf_counter()
        for _ in range(CALLS):
            message = decode(RESULT)
            emit(message.type, message)
    return (time.perf_counter() - began) / CALLS * 1e6
async def burst(client, kind):
    done = asyncio.Event()
    client.register_on_tts_playback_complete(lambda _: done.set())
    began = time.perf_counter()
    await client.speak(kind)
    await done.wait()
    return 50_000 / (time.perf_counter() - began)
async def main():
    client = SaynaClient(f"ws://127.0.0.1:{sys.argv[1]}/ws", STT, TTS)
    ready = asyncio.Event()
    client.register_on_ready(lambda _: ready.set())
    client.register_on_stt_result(lambda _: None)
    client.register_on_tts_audio(lambda _: None)
    await client.connect()
    await ready.wait()
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        took = await (dispatch(client) if line == "dispatch" else burst(client, line))
        print(took, flush=True)
    await client.disconnect()
asyncio.run(main())
"""

IMPORT = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1e3)"


@dataclass(frozen=True)
class Row:
    """One line of the table; `ratio` is ours over the other."""

    what: str
    unit: str
    other: float
    ours: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the other."""
        return self.ours / self.other

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        low = self.at_least is None or self.ratio >= self.at_least
        return low and (self.at_most is None or self.ratio <= self.at_most)

    def __str__(self) -> str:
        target = f"<= {self.at_most}" if self.at_most is not None else f">= {self.at_least}"
        return (
            f"| {self.what} | {self.other:,.1f} {self.unit} | {self.ours:,.1f} {self.unit}"
            f" | {self.ratio:.2f} | {target} | {'yes' if self.met else 'NO'} |"
        )


@contextmanager
def process(*command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that is asked by lines."""
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        if started.stdin is not None:
            started.stdin.close()
        started.terminate()
        started.wait()
        if started.stdout is not None:
            started.stdout.close()


def ask(started: subprocess.Popen[str], line: str) -> float:
    """Have one turn measured."""
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(f"{line}\n")
    started.stdin.flush()
    return float(started.stdout.readline())


def medians(kind: str, one: subprocess.Popen[str], other: subprocess.Popen[str]) -> list[float]:
    """Measure both in turns."""
    turns = [(ask(one, kind), ask(other, kind)) for _ in range(ROUNDS)]
    return [statistics.median(times) for times in zip(*turns, strict=True)]


def imports(*statements: tuple[Path, str]) -> list[float]:
    """Return how long each import takes in a new interpreter with compiled modules, in ms."""
    with TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        turns = [
            [
                float(
                    subprocess.run(
                        [interpreter, "-P", "-c", IMPORT.format(statement)],
                        capture_output=True,
                        text=True,
                        check=True,
                        env=environment,
                    ).stdout
                )
                for interpreter, statement in statements
            ]
            for _ in range(1 + IMPORTS)
        ][1:]  # the first one compiles
    return [statistics.median(times) for times in zip(*turns, strict=True)]


def rows() -> Iterator[Row]:
    """Measure everything."""
    bare, client, theirs, base = imports(
        (OURS, "import sayna_client"),
        (OURS, "from sayna_client import SaynaClient, STTConfig, TTSConfig"),
        (PEER, "import sayna_client"),
        (OURS, "import aiohttp; from pydantic import BaseModel, RootModel, TypeAdapter"),
    )
    yield Row("`import sayna_client`", "ms", theirs, bare, at_most=0.06)
    yield Row(
        "`SaynaClient` against aiohttp + pydantic",
        "ms",
        base,
        client,
        at_most=1.05,
    )
    with process(sys.executable, "-c", SERVER) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        with (
            process(PEER, "-P", "-c", CLIENT, port) as peer,
            process(OURS, "-P", "-c", CLIENT, port) as ours,
        ):
            yield Row("decode + dispatch", "µs", *medians("dispatch", peer, ours), at_most=0.5)
            yield Row("text messages", "/s", *medians("text", peer, ours), at_least=2.0)
            yield Row("audio messages (640 B)", "/s", *medians("audio", peer, ours), at_least=1.5)


def main() -> int:
    """Print the table; 1 when a target is missed."""
    print("| what | 0.0.18, or the base | ours | ratio | target | met |\n|---|---|---|---|---|---|")
    measured: list[Row] = []
    for row in rows():
        print(row, flush=True)
        measured.append(row)
    return 0 if all(row.met for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The fake reads bytes as the real server's HTTP library does: fixtures/http, over TCP."""

import asyncio
import contextlib
import itertools
import re
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_testing.fake import FakeSaynaServer

GOLDEN: dict[str, Any] = tomllib.loads(
    Path(__file__)
    .parents[2]
    .joinpath("fixtures", "http", "connection.toml")
    .read_text(encoding="utf-8")
)
CASES: list[dict[str, Any]] = GOLDEN["case"]
TEXTS: dict[str, str] = GOLDEN["texts"]

PROBE = b"PROBE / HTTP/1.1\r\nconnection: close\r\n\r\n"
PROBED = (
    "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nallow: GET,HEAD\r\n"
    "connection: close\r\n{{date}}\r\n"
)
ANSWERS = re.compile(
    rb"(?:HTTP/1\.1 100 Continue\r\n\r\n"
    rb"|HTTP/1\.[01] (?:200|400|404|405|411|413|414|415|422|431) [^\r\n]+\r\n"
    rb"(?:(?:content-type|content-length|allow|connection|date): [^\r\n]+\r\n)+\r\n"
    rb"[^\r\n]*)*"
)
DATE = re.compile(rb"date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n")


def written(text: str) -> bytes:
    """A text of the file as bytes, one for each character."""
    for name, meaning in TEXTS.items():
        text = text.replace(f"{{{{{name}}}}}", meaning)
    text = re.sub(r"\{\{repeat (\d+) (.*?)\}\}", lambda m: m[2] * int(m[1]), text, flags=re.DOTALL)
    return text.encode("latin-1")


def exchange(server: FakeSaynaServer, *parts: bytes) -> bytes:
    """Send parts one by one; what came until the server ended the connection, without dates."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return DATE.sub(b"{{date}}", received)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bytes_are_answered_as_written(
    case: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    closes = case.get("closes", False)
    with FakeSaynaServer() as server:
        received = exchange(server, written(case["send"]), *(() if closes else (PROBE,)))
    assert received == written(case["receive"] + ("" if closes else PROBED))
    assert not caplog.records


@given(st.data())
@settings(max_examples=150)
def test_where_bytes_are_cut_makes_no_difference(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in CASES if not case.get("closes")]))
    sent = written(case["send"]) + PROBE
    cuts = data.draw(st.lists(st.integers(1, len(sent) - 1), max_size=8).map(sorted))
    parts = [sent[a:b] for a, b in itertools.pairwise([0, *cuts, len(sent)])]
    with FakeSaynaServer() as server:
        assert exchange(server, *parts) == written(case["receive"] + PROBED)


@given(st.data())
@settings(max_examples=400)
def test_damaged_bytes_get_answers_or_the_end(data: st.DataObject) -> None:
    texts = [text for case in CASES if len(text := written(case["send"])) < 1000]
    sent = bytearray(b"".join(data.draw(st.lists(st.sampled_from(texts), min_size=1, max_size=3))))
    spans = st.tuples(st.integers(0, len(sent)), st.integers(0, 3), st.binary(max_size=3))
    for at, length, put in data.draw(st.lists(spans, max_size=4)):
        sent[at : at + length] = put
    received = asyncio.run(answers_to(bytes(sent)))
    assert ANSWERS.fullmatch(received), received


async def answers_to(sent: bytes) -> bytes:
    """What a server in this loop says to bytes; then it is as healthy as ever, and idle."""
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    with FakeSaynaServer() as server:
        await server.listen()
        reader, writer = await connected(server, sent)
        probe, prober = await connected(server, PROBE)
        assert DATE.sub(b"{{date}}", await probe.read()) == written(PROBED)
        received = b""
        with contextlib.suppress(ConnectionError):  # it may have ended before all was sent
            writer.write_eof()
            received = await reader.read()
        writer.close()
        prober.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
    assert (problems, others) == ([], set())
    return received


async def connected(
    server: FakeSaynaServer, sent: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    return reader, writer

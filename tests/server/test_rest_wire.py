"""What only bytes on a socket can show."""

import logging
import socket

import pytest

from sayna_testing.fake import FakeSaynaServer

HEALTHY = b'{"status":"OK"}'


def exchange(server: FakeSaynaServer, request: bytes) -> tuple[list[bytes], bytes]:
    """Send a request that asks for the connection to be closed; return head lines and body."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        answered = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answered.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    lines = (line, "host: sayna", "connection: close", *headers)
    return "\r\n".join((*lines, "", "")).encode() + body


def names(head: list[bytes]) -> list[str]:
    return [line.partition(b":")[0].decode() for line in head[1:]]


def test_answer_has_a_date_and_nothing_that_names_the_software() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("GET / HTTP/1.1"))
    assert head[0] == b"HTTP/1.1 200 OK"
    assert b"content-type: application/json" in head
    assert names(head) == ["content-type", "content-length", "date", "connection"]
    assert body == HEALTHY


def test_head_of_an_unknown_path_has_no_length() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("HEAD /nowhere HTTP/1.1"))
    assert (head[0], names(head), body) == (b"HTTP/1.1 404 Not Found", ["date", "connection"], b"")


def test_head_of_ws_has_the_length_of_a_body_that_is_not_sent() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("HEAD /ws HTTP/1.1"))
    assert b"content-length: 28" in head
    assert body == b""


@pytest.mark.parametrize("target", ["http://sayna/", "HTTP://sayna:1?x=1"])
def test_absolute_target_is_the_path_in_it(target: str) -> None:
    with FakeSaynaServer() as server:
        _, body = exchange(server, request(f"GET {target} HTTP/1.1"))
    assert body == HEALTHY


def test_body_is_asked_for_where_the_client_waits_for_that() -> None:
    body = b'{"text": "Hi"}'
    held = request(
        "POST /speak HTTP/1.1",
        "expect: 100-Continue",
        "content-type: application/json",
        f"content-length: {len(body)}",
    )
    with FakeSaynaServer() as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(held)
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")


def test_other_expectations_are_ignored() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("GET / HTTP/1.1", "expect: the impossible"))
    assert (head[0], body) == (b"HTTP/1.1 200 OK", HEALTHY)


def test_body_is_read_as_it_came_whatever_its_encoding_says() -> None:
    with FakeSaynaServer() as server:
        post = request(
            "POST /sip/hooks HTTP/1.1",
            "content-type: application/json",
            "content-encoding: gzip",
            "content-length: 2",
            body=b"{}",
        )
        assert exchange(server, post)[1] == b'{"hooks":[]}'


def test_header_that_echoes_text_is_utf8() -> None:
    asked = '{"text":"a","tts_config":{"provider":"deepgram","model":"","audio_format":"Zü"}}'
    with FakeSaynaServer() as server:
        post = request(
            "POST /speak HTTP/1.1",
            "content-type: application/json",
            f"content-length: {len(asked.encode())}",
            body=asked.encode(),
        )
        head, _ = exchange(server, post)
    assert "x-audio-format: Zü".encode() in head


def test_long_targets_and_headers_are_taken() -> None:
    with FakeSaynaServer() as server:
        target, cookie = f"/?api_key={'k' * 60_000}", f"cookie: {'c' * 100_000}"
        _, body = exchange(server, request(f"GET {target} HTTP/1.1", cookie))
    assert body == HEALTHY


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x00\x01 / HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nbad name: a\r\n\r\n", b"400 Bad Request"),
        (b"GET / http/1.1\r\nhost: a\r\n\r\n", b"400 Bad Request"),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 500_000 + b"\r\n\r\n",
            b"431 Request Header Fields Too Large",
        ),
    ],
    ids=["method", "header name", "version", "too large"],
)
def test_head_that_cannot_be_read_is_refused_without_a_body_or_a_log_line(
    raw: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "aiohttp"), FakeSaynaServer() as server:
        head, body = exchange(server, raw)
    assert (head[0], body) == (b"HTTP/1.1 " + status, b"")
    assert names(head) == ["connection", "content-length", "date"]
    assert not caplog.records

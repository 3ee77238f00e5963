"""What only bytes on a socket can show."""

import socket

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
    assert names(head) == ["content-type", "content-length", "connection", "date"]
    assert body == HEALTHY


def test_head_of_an_unknown_path_has_no_length() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("HEAD /nowhere HTTP/1.1"))
    assert (head[0], names(head), body) == (b"HTTP/1.1 404 Not Found", ["connection", "date"], b"")


def test_head_of_ws_has_the_length_of_a_body_that_is_not_sent() -> None:
    with FakeSaynaServer() as server:
        head, body = exchange(server, request("HEAD /ws HTTP/1.1"))
    assert b"content-length: 28" in head
    assert body == b""


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

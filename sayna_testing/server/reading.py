"""Requests out of bytes, as the HTTP library of the real server reads them.

The protocol documents begin where a request has been read (rest.md 3). What is read and what is
refused before that are facts of hyper 1 with httparse 1.10 and http 1.3. Nothing here reads a
socket.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sayna_testing.server.rest.messages import Request

MAX_HEAD: Final = 8192 + 100 * 4096
"""Bytes of a head that has not ended when it is refused."""

_MAX_HEADERS: Final = 100
_MAX_TARGET: Final = 2**16 - 2
_MAX_LENGTH: Final = 2**64 - 3  # the lengths above have meanings of their own in hyper
_MAX_64: Final = 2**64 - 1
_MAX_EXTRAS: Final = 16 * 1024  # bytes of a chunk's size line, and of a trailer
_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TARGET = rb"[!-~\x80-\xff]+"
_VALUE = rb"[\t -~\x80-\xff]*"
_NAME = rb"[!$&'()*+,\-.0-9;=A-Z_a-z~]"  # what a host takes, but for `:`, brackets and `%`
_AUTHORITY = (
    rb"(?:[!$%&'()*+,\-.0-9:;=A-Z_a-z~]*@)*"
    rb"(?:\[[^\[\]@/?#]*\]|" + _NAME + rb"+)(?::" + _NAME + rb"*)?"
)


def _begun(*parts: bytes) -> bytes:
    """The beginnings of a sequence of parts, each of which begins with any of its beginnings."""
    *rest, pattern = parts
    for part in reversed(rest):
        pattern = rb"%s(?:%s)?" % (part, pattern)
    return rb"(?:%s)?" % pattern


class _Form:
    """Something that ends by itself, and what it looks like before it has ended."""

    def __init__(self, whole: bytes, begun: bytes) -> None:
        self._whole = re.compile(whole)
        self._begun = re.compile(begun)

    def match(self, data: bytes | bytearray, at: int = 0) -> re.Match[bytes] | None:
        """Read it; None when it may still end well, `ValueError` when it cannot."""
        found = self._whole.match(data, at)
        if found is None and not self._begun.fullmatch(data, at):
            raise ValueError("not what it should be")
        return found


_BLANK = re.compile(rb"(?:\r?\n)*")
_LINE = _Form(
    rb"(%s) (%s) HTTP/1\.([01])\r?\n" % (_TOKEN, _TARGET),
    rb"\r|" + _begun(_TOKEN, b" ", _TARGET, b" ", *b"H T T P / 1 [.] [01] \r".split(b" ")),
)
_HEADER = _Form(
    rb"(%s):(%s)\r?\n" % (_TOKEN, _VALUE), rb"\r|" + _begun(_TOKEN, b":" + _VALUE, b"\r")
)
_END = re.compile(rb"\r?\n")
_SIZE = _Form(
    rb"([0-9A-Fa-f]+)[\t ]*(?:;[^\r\n]*)?\r\n",
    rb"(?:[0-9A-Fa-f]+[\t ]*(?:;[^\r\n]*)?\r?)?",
)
_CHUNK_END = _Form(rb"\r\n", rb"\r?")
_TRAILER = _Form(rb"([^\r]*)\r\n", rb"[^\r]*\r?")

_PATH = re.compile(rb"([!\"$-;=@-_a-~\x80-\xff]*)(?:\?([!$-;=?-~\x80-\xff]*))?(?:#.*)?", re.DOTALL)
_ABSOLUTE = re.compile(rb"[+\-.0-9A-Za-z]{1,64}://" + _AUTHORITY + rb"(?=[/?#]|\Z)")
_HOST = re.compile(_AUTHORITY)


class HeadError(Exception):
    """A head that is refused with an empty answer of this status; None just ends the connection."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class _BodyError(Exception):
    """A body that does not end where it should."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, and whether the client means to send another."""

    request: Request
    keep_alive: bool


class _Framing:
    """What the headers say about the body and the connection, read in their order."""

    def __init__(self, version: tuple[int, int]) -> None:
        self.keep_alive = self._newer = version == (1, 1)
        self.length: int | None = None
        self.chunked: bool | None = None
        self.expects = False

    def read(self, name: str, value: str) -> None:
        """Take one header; raises HeadError."""
        match name:
            case "transfer-encoding":
                if not self._newer:
                    raise HeadError(400)
                self.chunked = value.rpartition(",")[2].strip().lower() == "chunked"
            case "content-length" if self.chunked is None:
                self.length = self._read_length(value)
            case "connection":
                asked = [part.strip().lower() for part in value.split(",")]
                self.keep_alive = "close" not in asked if self.keep_alive else "keep-alive" in asked
            case "expect":
                self.expects = value.lower() == "100-continue" and self._newer
            case _:
                pass

    def _read_length(self, value: str) -> int:
        digits = value.lstrip("0") or value[:1]
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
            raise HeadError(400)
        length = int(digits)
        if length > _MAX_64 or self.length not in (None, length):
            raise HeadError(400)
        if length > _MAX_LENGTH:
            raise HeadError(431)
        return length

    def body(self) -> "_Sized | _Chunked":
        """How the body is read; raises HeadError."""
        if self.chunked is None:
            return _Sized(self.length or 0)
        if not self.chunked:
            raise HeadError(400)
        return _Chunked()


class _Sized:
    """A body of a given length."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def done(self) -> bool:
        """Whether all of it was taken."""
        return not self._left

    def take(self, buffer: bytearray) -> bytes:
        """Take what has come of it out of the buffer."""
        data = bytes(buffer[: self._left])
        del buffer[: self._left]
        self._left -= len(data)
        return data


class _Chunked:
    """A body in chunks."""

    def __init__(self) -> None:
        self.done = False
        self._form = _SIZE
        self._left = 0

    def take(self, buffer: bytearray) -> bytes:
        """Take what has come of it out of the buffer; raises _BodyError."""
        data = bytearray()
        while not self.done:
            if self._left:
                part = buffer[: self._left]
                self._left -= len(part)
                data += part
                del buffer[: len(part)]
                if self._left:
                    break
            elif not self._step(buffer):
                break
        return bytes(data)

    def _step(self, buffer: bytearray) -> bool:
        """Read what stands between the data; False when more is needed."""
        try:
            found = self._form.match(buffer)
        except ValueError:
            raise _BodyError from None
        if found is None:
            if len(buffer) > _MAX_EXTRAS:
                raise _BodyError
            return False
        if self._form is _SIZE:
            self._left = int(found[1], 16)
            if self._left > _MAX_64:
                raise _BodyError
            self._form = _CHUNK_END if self._left else _TRAILER
        elif self._form is _TRAILER:
            self.done = not found[1]
        else:
            self._form = _SIZE
        del buffer[: found.end()]
        return True


class Reader:
    """Takes bytes at any cut and gives whole requests, one after the other.

    `asks_for_body` is called when a client waits to be asked for the body (RFC 9110, 10.1.1).
    """

    def __init__(self, asks_for_body: Callable[[], None]) -> None:
        self._asks_for_body = asks_for_body
        self._buffer = bytearray()
        self._head: tuple[Request, bool] | None = None
        self._body: _Sized | _Chunked = _Sized(0)
        self._taken = bytearray()

    @property
    def waiting(self) -> int:
        """How many bytes have come that nobody has taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._buffer += data

    def rest(self) -> bytes:
        """Take what came behind the last request."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def next(self) -> Incoming | None:
        """The next request, None until all of it is there; raises HeadError."""
        if self._head is None and not (self._buffer and self._read_head()):
            return None
        broken = False
        try:
            self._taken += self._body.take(self._buffer)
        except _BodyError:
            broken = True
        if self._head is None or not (broken or self._body.done):
            return None
        (head, keep_alive), self._head = self._head, None
        body, self._taken = bytes(self._taken), bytearray()
        return Incoming(replace(head, body=body, broken=broken), keep_alive)

    def _read_head(self) -> bool:
        try:
            read = _split(bytes(self._buffer))
        except ValueError:
            raise HeadError(None if self._buffer.startswith(_HTTP2) else 400) from None
        if read is None:
            if len(self._buffer) >= MAX_HEAD:
                raise HeadError(431)
            return False
        head, end = read
        framing = _Framing(head.http_version)
        for name, value in head.headers:
            framing.read(name.lower(), value)
        self._body = framing.body()
        self._head = head, framing.keep_alive
        del self._buffer[:end]
        if framing.expects and not self._body.done:
            self._asks_for_body()
        return True


def _split(data: bytes) -> tuple[Request, int] | None:
    """The head that a buffer begins with and where it ends; None when it has not ended.

    Raises HeadError, and ValueError for what is no head.
    """
    blank = _BLANK.match(data)
    line = _LINE.match(data, blank.end() if blank else 0)
    if line is None:
        return None
    at = line.end()
    headers: list[tuple[str, str]] = []
    while (end := _END.match(data, at)) is None:
        header = _HEADER.match(data, at)
        if header is None:
            return None
        if len(headers) == _MAX_HEADERS:
            raise HeadError(431)
        headers.append((header[1].decode(), header[2].strip(b" \t").decode("latin-1")))
        at = header.end()
    if len(line[2]) > _MAX_TARGET:
        raise HeadError(414)
    path, query = _read_target(line[2])
    version = (1, int(line[3]))
    head = Request(line[1].decode(), path, query, tuple(headers), http_version=version)
    return head, end.end()


def _read_target(target: bytes) -> tuple[str, str]:
    """Path and query of a request target in any of its four forms; raises ValueError."""
    if target == b"*":
        return "*", ""
    if target[:1] != b"/":
        absolute = _ABSOLUTE.match(target)
        if absolute is None:
            if _HOST.fullmatch(target):
                return "", ""
            raise ValueError("no target")
        target = target[absolute.end() :]
    found = _PATH.fullmatch(target)
    if found is None:
        raise ValueError("no path")
    return found[1].decode() or "/", (found[2] or b"").decode()

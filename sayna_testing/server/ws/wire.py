"""WebSocket frames as bytes: read what a client sends, write what a server does (websocket.md 2).

The reader takes any bytes at any cut and gives whole messages; it refuses what the real server
refuses, in its words. Nothing here reads a socket.
"""

import base64
import hashlib
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

MAX_FRAME = 16 * 2**20
MAX_MESSAGE = 64 * 2**20
MAX_CONTROL = 125

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT, _LONG = Struct("!H"), Struct("!Q")
_FIN, _RESERVED, _MASKED = 0x80, 0x70, 0x80
_COMPACT = 64 * 1024


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Message(NamedTuple):
    """A whole message, or a control frame; the payload of text is checked UTF-8."""

    opcode: Opcode
    payload: bytes

    @property
    def close_code(self) -> int | None:
        """The code of a Close, None if it has none."""
        return _SHORT.unpack_from(self.payload)[0] if len(self.payload) > 1 else None


_OPCODES = {opcode.value: opcode for opcode in Opcode}


class WireError(Exception):
    """Bytes after which the real server drops the connection; the text is its `<detail>`."""


def accept_key(key: str) -> str:
    """Answer `Sec-WebSocket-Key`, whatever its value."""
    return base64.b64encode(
        hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    ).decode()


def close_payload(code: int | None) -> bytes:
    """The payload of a Close."""
    return b"" if code is None else _SHORT.pack(code)


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """Write one unfragmented server frame."""
    return header(opcode, len(payload)) + payload


def header(opcode: Opcode, size: int) -> bytes:
    """Write the header of an unfragmented server frame of `size` bytes."""
    first = _FIN | opcode
    if size <= MAX_CONTROL:
        return bytes((first, size))
    if size < 2**16:
        return bytes((first, 126)) + _SHORT.pack(size)
    return bytes((first, 127)) + _LONG.pack(size)


class FrameReader:
    """Turns the bytes of a client into messages, one at a time."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0
        self._opcode: Opcode | None = None
        self._parts: list[bytes] = []

    @property
    def waiting(self) -> int:
        """How many bytes were fed and not read yet."""
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Take bytes; nothing is looked at yet."""
        self._data += data

    def next(self) -> Message | None:
        """Read the next message, None while it is incomplete; raises WireError."""
        while (found := self._next_frame()) is not None:
            opcode, final, payload = found
            if opcode >= Opcode.CLOSE:
                return self._control(opcode, payload)
            if (message := self._data_frame(opcode, final, payload)) is not None:
                return message
        return None

    def _next_frame(self) -> tuple[Opcode, int, bytes] | None:
        data, at = self._data, self._at
        if len(data) - at < 2:
            return None
        first, second = data[at], data[at + 1]
        if first & _RESERVED:
            raise WireError("WebSocket protocol error: Reserved bits are non-zero")
        opcode = _known(first & 0x0F)
        measured = self._size(second & 0x7F)
        if measured is None:
            return None
        size, begin = measured
        _check_control(opcode, first & _FIN, size)
        if not second & _MASKED:
            raise WireError("WebSocket protocol error: Received an unmasked frame from client")
        if size > MAX_FRAME:
            raise WireError(f"Space limit exceeded: Message too long: {size} > {MAX_FRAME}")
        end = begin + 4 + size
        if len(data) < end:
            return None
        payload = _unmask(data[begin + 4 : end], data[begin : begin + 4])
        self._advance(end)
        return opcode, first & _FIN, payload

    def _size(self, short: int) -> tuple[int, int] | None:
        """The payload's size and where the mask begins."""
        begin = self._at + 2
        if short <= MAX_CONTROL:
            return short, begin
        packed = _SHORT if short == 126 else _LONG
        if len(self._data) < begin + packed.size:
            return None
        return packed.unpack_from(self._data, begin)[0], begin + packed.size

    def _advance(self, end: int) -> None:
        if end == len(self._data):
            self._data.clear()
            end = 0
        elif end > _COMPACT:
            del self._data[:end]
            end = 0
        self._at = end

    def _control(self, opcode: Opcode, payload: bytes) -> Message:
        if opcode == Opcode.CLOSE:
            _check_close(payload)
        return Message(opcode, payload)

    def _data_frame(self, opcode: Opcode, final: int, payload: bytes) -> Message | None:
        if final and self._opcode is None and opcode != Opcode.CONTINUATION:
            return _message(opcode, payload)
        if opcode == Opcode.CONTINUATION:
            if self._opcode is None:
                raise WireError("WebSocket protocol error: Continue frame but nothing to continue")
        elif self._opcode is not None:
            name = opcode.name.title()
            raise WireError(
                f"WebSocket protocol error: While waiting for more fragments received: {name}"
            )
        else:
            self._opcode = opcode
        self._parts.append(payload)
        size = sum(map(len, self._parts))
        if size > MAX_MESSAGE:
            raise WireError(f"Space limit exceeded: Message too long: {size} > {MAX_MESSAGE}")
        return self._whole() if final else None

    def _whole(self) -> Message:
        payload = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        opcode, self._opcode = self._opcode, None
        return _message(opcode or Opcode.BINARY, payload)


def _message(opcode: Opcode, payload: bytes) -> Message:
    if opcode == Opcode.TEXT:
        _check_utf8(payload)
    return Message(opcode, payload)


def _known(number: int) -> Opcode:
    opcode = _OPCODES.get(number)
    if opcode is None:
        raise WireError(f"WebSocket protocol error: Encountered invalid opcode: {number}")
    return opcode


def _check_control(opcode: Opcode, final: int, size: int) -> None:
    if opcode < Opcode.CLOSE:
        return
    if not final:
        raise WireError("WebSocket protocol error: Fragmented control frame")
    if size > MAX_CONTROL:
        raise WireError(
            "WebSocket protocol error: Control frame too big (payload must be 125 bytes or less)"
        )


def _check_close(payload: bytes) -> None:
    if len(payload) == 1:
        raise WireError("WebSocket protocol error: Invalid close sequence")
    _check_utf8(payload[2:])


def _check_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise WireError(
            f"UTF-8 encoding error: invalid utf-8 sequence from index {error.start}"
        ) from None


def _unmask(payload: bytearray, mask: bytearray) -> bytes:
    """XOR with the repeated mask, as one number: some 2 µs for a frame of audio."""
    size = len(payload)
    keys = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(
        size, "little"
    )

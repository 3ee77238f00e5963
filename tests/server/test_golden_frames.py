"""The golden frames are what websocket.md sections 4 and 5 say: literal, compact, complete."""

import json
import re
from pathlib import Path

import pytest

from sayna_testing.fake import FakeSaynaServer
from tests.server.golden.cases import load
from tests.server.golden.peers import Socket

FRAMES = Path(__file__).parents[2] / "fixtures" / "frames"

CLIENT_TYPES = {
    "config",
    "speak",
    "clear",
    "send_message",
    "sip_transfer",
    "update_config",
    "loading_start",
    "loading_stop",
}
SERVER_TYPES = {
    "ready",
    "stt_result",
    "message",
    "participant_connected",
    "participant_disconnected",
    "track_subscribed",
    "tts_playback_complete",
    "error",
    "sip_transfer_error",
    "vad_event",
}


def frames(side: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((FRAMES / f"{side}.json").read_text("utf-8"))
    return entries


@pytest.mark.parametrize(
    ("side", "types"),
    [("client", CLIENT_TYPES), ("server", SERVER_TYPES)],
    ids=["client", "server"],
)
def test_every_message_type_has_a_golden_frame(side: str, types: set[str]) -> None:
    assert {json.loads(entry["frame"])["type"] for entry in frames(side)} == types


@pytest.mark.parametrize("side", ["client", "server"])
def test_frames_are_named_once_and_name_their_section(side: str) -> None:
    entries = frames(side)
    assert all(entry.keys() == {"name", "section", "frame", "note"} for entry in entries)
    assert len({entry["name"] for entry in entries}) == len(entries)
    assert all(entry["section"].startswith("websocket.md ") for entry in entries)


@pytest.mark.parametrize("entry", frames("server"), ids=lambda entry: entry["name"])
def test_server_frames_are_compact_with_the_type_first_and_no_null(entry: dict[str, str]) -> None:
    frame = json.loads(entry["frame"])
    assert next(iter(frame)) == "type"
    assert "null" not in entry["frame"]
    written = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
    assert entry["frame"] == written.replace("9.9e-07", "9.9e-7")


async def test_a_server_reads_every_client_frame() -> None:
    with FakeSaynaServer(transport="tcp") as server:
        socket = await Socket.connect(int(server.url.rpartition(":")[2]), "/ws")
        for entry in frames("client"):
            await socket.send(1, entry["frame"].encode())
        await socket.send(1, b"the end")
        answers: list[dict[str, str]] = []
        while not (answers and answers[-1]["message"].startswith("Invalid message format")):
            event = await socket.events.get()
            if event.kind == "text":
                answers.append({"message": "", **json.loads(event.data)})
        await socket.close()
    assert answers[-1]["message"].endswith("expected ident at line 1 column 2")


@pytest.mark.parametrize(
    "entry",
    [entry for entry in frames("server") if "vad_event" not in entry["name"]],  # never sent
    ids=lambda entry: entry["name"],
)
def test_every_server_frame_has_the_shape_of_one_in_the_golden_cases(entry: dict[str, str]) -> None:
    assert shape(entry["frame"]) in SHAPES


def shape(frame: str) -> str:
    """The keys of a frame in their order, with what kind of value each has."""

    def kind(value: object) -> object:
        if isinstance(value, dict):
            return [(key, kind(inner)) for key, inner in value.items()]
        return type(value).__name__

    return f"{json.loads(frame)['type']} {kind(json.loads(frame))}"


def _shapes() -> set[str]:
    found: set[str] = set()
    for case in load():
        for step in case.steps:
            if "script" in step:
                frames = re.findall(r"^<~? (\{.*\})$", step["script"], re.MULTILINE)
                found |= {shape(re.sub(r"\{\{\w+\}\}", "1", frame)) for frame in frames}
    return found


SHAPES = _shapes()

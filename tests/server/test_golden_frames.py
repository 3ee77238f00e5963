"""The golden frames are what websocket.md sections 4 and 5 say: literal, compact, complete."""

import json
from pathlib import Path

import pytest

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

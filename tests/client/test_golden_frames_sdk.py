"""The SDK writes and reads the golden frames: the literal texts of websocket.md 4 and 5."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from sayna_client import SaynaClient, STTConfig, TTSConfig
from sayna_client.codec import encode
from sayna_client.types.commands import Command
from tests.client.peer import READY, Wire, peer

FRAMES = Path(__file__).parents[2] / "fixtures" / "frames"
NO_CALLBACK = {"vad_event"}  # never sent by a real server
COMMANDS: TypeAdapter[Any] = TypeAdapter(Command)


def frames(side: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((FRAMES / f"{side}.json").read_text("utf-8"))
    return entries


def without_nulls(value: Any) -> Any:
    """Null is absence to the server, and the SDK leaves such fields out."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def holds(written: Any, golden: Any) -> bool:
    """Whether all that a golden frame says is in what was written."""
    if isinstance(golden, dict):
        return all(holds(written.get(key), value) for key, value in golden.items())
    return bool(written == golden)


@pytest.mark.parametrize("entry", frames("client"), ids=lambda entry: entry["name"])
def test_every_client_frame_can_be_written(entry: dict[str, str]) -> None:
    golden = without_nulls(json.loads(entry["frame"]))
    written = json.loads(encode(COMMANDS.validate_python(golden)))
    assert holds(written, golden)
    if golden["type"] != "config":  # whose defaults are written out
        assert written == golden


async def test_every_server_frame_reaches_its_callback_whole() -> None:
    sent = [
        entry["frame"]
        for entry in frames("server")
        if json.loads(entry["frame"])["type"] not in NO_CALLBACK
    ]
    came: list[str] = []
    whole = asyncio.Event()

    def keep(message: BaseModel) -> None:
        came.append(in_order(message.model_dump_json(exclude_none=True)))
        if len(came) > len(sent):
            whole.set()

    async def script(wire: Wire) -> None:
        await wire.configured()
        for frame in sent:
            wire.send(frame)
        await wire.receive_until_closed()

    config = STTConfig(provider="deepgram", model=""), TTSConfig(provider="deepgram", model="")
    async with peer(script) as url, SaynaClient(url, *config) as client:
        for kind in {json.loads(frame)["type"] for frame in sent}:
            getattr(client, f"register_on_{kind}")(keep)
        await client.connect()
        async with asyncio.timeout(5):
            await whole.wait()
    assert sorted(came) == sorted(in_order(frame) for frame in (READY, *sent))


def in_order(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)

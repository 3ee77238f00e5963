from pathlib import Path
from typing import Any

import pytest

import sayna_client
from tests.client.peer import Wire, peer

DOCS = Path(__file__).parents[2] / "docs"


async def test_the_code_of_the_migration_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(wire: Wire) -> None:
        await wire.configured()
        assert (await wire.receive_json())["text"] == "Hello! How can I help?"
        wire.send(
            '{"type":"stt_result","transcript":"a table","is_final":true,'
            '"is_speech_final":true,"confidence":1.0}'
        )
        wire.send('{"type":"tts_playback_complete","timestamp":1}')
        await wire.receive_until_closed()

    text = (DOCS / "migrating.md").read_text(encoding="utf-8")
    (code,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    names: dict[str, Any] = {}
    exec(code, names)
    async with peer(script) as url:
        await names["greet"](url)
    assert capsys.readouterr().out == "a table\n"


def test_every_name_in_the_migration_guide_exists() -> None:
    text = (DOCS / "migrating.md").read_text(encoding="utf-8")
    named = {word.strip("`(,.)|;:") for word in text.replace("(", " ").split()}
    for name in (word for word in named if word.startswith("Sayna") and word.isalpha()):
        assert hasattr(sayna_client, name), name

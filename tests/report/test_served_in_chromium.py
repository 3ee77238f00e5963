"""The report of a fake while it is served: opened in a real browser, held to the journal."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

from websockets.sync.client import connect

from tests import frames
from tests.cli.serving import serving

CONFIG = {**frames.CONFIG, "stream_id": "call-42"}


def test_the_report_of_a_served_fake_shows_what_its_journal_holds(tab: Any) -> None:
    with serving("--speed", "20") as served, connect(served.ready["ws_url"]) as ws:
        ws.send(json.dumps(CONFIG))
        assert json.loads(ws.recv())["type"] == "ready"
        ws.send(json.dumps({"type": "speak", "text": "Hello from afar"}))
        while not isinstance(ws.recv(), str):
            pass
        tab.open(served.ready["report_url"])
        tab.until("!document.querySelector('#call').hidden")
        assert tab.text("#name") == "ws-1 call-42"
        headers = {"Authorization": f"Bearer {served.ready['token']}"}
        asked = Request(f"{served.ready['admin_url']}journal", headers=headers)
        kinds = [entry["kind"] for entry in json.load(urlopen(asked))]
        shown = tab.texts("#events span:nth-child(3)")
        assert [line.split()[0] for line in shown] == [
            {"tts_playback_complete": "completed"}.get(kind, kind)
            for at, kind in enumerate(kinds)
            if kind != "audio" or kinds[at - 1] != "audio"
        ]
        assert "Hello from afar" in " ".join(tab.texts("#sheet .speech text"))
        assert tab.texts("#sheet .agent polygon") == [""]

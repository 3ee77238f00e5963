"""A call as JSON, for programs: everything the journal holds, audio in base64."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

from sayna_testing.report.call import Call
from sayna_testing.report.latency import latencies
from sayna_testing.server.journal import Entry


def document(call: Call) -> str:
    """The call as one JSON object; times in seconds, entries in order."""
    content = {
        "name": call.name,
        "status": call.status,
        "reason": call.reason,
        "failing": call.failing,
        "sessions": call.sessions,
        "latencies": [asdict(latency) for latency in latencies(call)],
        "expectations": [asdict(expectation) for expectation in call.expectations],
        "entries": [as_json(entry) for entry in call.entries],
    }
    return json.dumps(content, indent=1)


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as a JSON object, its audio in base64."""
    audio = entry.audio
    return asdict(entry) | {"audio": None if audio is None else base64.b64encode(audio).decode()}

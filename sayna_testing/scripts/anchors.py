"""What a turn can wait for before it begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sayna_testing.expectations import only_ours
from sayna_testing.scripts.model import After
from sayna_testing.scripts.scene import Scene
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours

_ENTRIES: dict[str, Callable[[Entry], bool]] = {
    "ready": lambda e: (e.flow, e.kind) == ("<", "ready"),
    "speak": lambda e: (e.flow, e.kind) == (">", "speak"),
    "clear": lambda e: (e.flow, e.kind) == (">", "clear"),
    "interim": lambda e: (e.flow, e.kind) == ("<", "stt_result") and not e.data["is_final"],
    "final": lambda e: (e.flow, e.kind) == ("<", "stt_result") and e.data["is_final"],
    "message": lambda e: (e.flow, e.kind) == (">", "send_message"),
    "transfer": lambda e: (e.flow, e.kind) == (">", "sip_transfer"),
    "loading_started": lambda e: (e.flow, e.kind) == (">", "loading_start"),
    "loading_stopped": lambda e: (e.flow, e.kind) == (">", "loading_stop"),
}


async def reach(scene: Scene, after: After) -> None:
    """Wait for the anchor, then as long as the turn says; raises ExpectationError."""
    if after.event in ("speech_started", "speech_ended"):
        await scene.caller.agent_speaks(within=after.within)
        if after.event == "speech_ended":
            await scene.caller.quiet()
        await asyncio.sleep(after.delay)
        return
    entry = await scene.sees(_ENTRIES[after.event], within=after.within, expected=after.event)
    await asyncio.sleep(max(entry.at + after.delay - scene.now, 0.0))

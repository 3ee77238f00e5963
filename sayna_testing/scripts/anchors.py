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
    await _SPEECH.get(after.event, _entry)(scene, after)


async def _speech_started(scene: Scene, after: After) -> None:
    await scene.caller.agent_speaks(within=after.within, after=after.delay)


async def _speech_ended(scene: Scene, after: After) -> None:
    """What the turn before heard out has ended; else what sounds now or next must."""
    if scene.heard_out is None:
        await scene.caller.agent_speaks(within=after.within)
        await scene.caller.quiet()
        scene.heard_out = scene.now
    await _until(scene, scene.heard_out + after.delay)


async def _entry(scene: Scene, after: After) -> None:
    entry = await scene.sees(_ENTRIES[after.event], within=after.within, expected=after.event)
    await _until(scene, entry.at + after.delay)


async def _until(scene: Scene, moment: float) -> None:
    await asyncio.sleep(max(moment - scene.now, 0.0))


_SPEECH = {"speech_started": _speech_started, "speech_ended": _speech_ended}

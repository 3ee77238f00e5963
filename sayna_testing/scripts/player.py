"""Playing a script: the other side of the conversation, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sayna_testing.calls.caller import Caller
from sayna_testing.expectations import ExpectationError, failure, only_ours
from sayna_testing.scripts.anchors import reach
from sayna_testing.scripts.demands import meet
from sayna_testing.scripts.model import Script, Turn
from sayna_testing.scripts.outcome import Outcome, TurnResult
from sayna_testing.scripts.scene import Scene, Stage
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours


async def play(script: Script, caller: Caller, stage: Stage) -> Outcome:
    """Play the other side to the end, or to the first turn that fails."""
    scene = Scene(caller, stage)
    results: list[TurnResult] = []
    for turn, following in zip(script.turns, (*script.turns[1:], None), strict=True):
        after = following.after if following else None
        scene.broken_into = after is not None and after.event == "speech_started"
        try:
            for _ in range(turn.repeat):
                await _take(scene, turn)
        except ExpectationError as error:
            why = (str(error), error.summary, error.nearest)
            results.append(TurnResult(turn, "failed", scene.told(), *why))
            break
        results.append(TurnResult(turn, "passed", scene.told()))
    results += [TurnResult(turn, "not run") for turn in script.turns[len(results) :]]
    return Outcome(script, tuple(results), scene.entries)


async def _take(scene: Scene, turn: Turn) -> None:
    begin = len(scene.caller.journal)
    for step in _STEPS:
        await step(scene, turn)
    sent = [e for e in scene.entries if e.index >= begin and e.flow == ">"]
    for entry in sent:
        if entry.kind in turn.never:
            raise failure(f"no {entry.kind} in this turn", scene.entries, nearest=entry)
    if "repetition" in turn.never and (again := _repeated(sent)):
        words = f'"{again.data["text"]}" to be said once in this turn'
        raise failure(words, scene.entries, nearest=again)


def _repeated(sent: Sequence[Entry]) -> Entry | None:
    """The first text that was said before."""
    spoken = [entry for entry in sent if entry.kind == "speak"]
    texts = [entry.data["text"] for entry in spoken]
    return next((e for n, e in enumerate(spoken) if e.data["text"] in texts[:n]), None)


async def _wait(_: Scene, turn: Turn) -> None:
    if turn.wait is not None:
        await asyncio.sleep(turn.wait)


async def _after(scene: Scene, turn: Turn) -> None:
    if turn.after is not None:
        await reach(scene, turn.after)
    scene.heard_out = None


async def _fault(scene: Scene, turn: Turn) -> None:
    if turn.fault is not None:
        scene.note("caller", f"(fault: {turn.fault.name})")
        await scene.stage.fault(scene.caller, turn.fault)


async def _reconnect(scene: Scene, turn: Turn) -> None:
    if turn.reconnect:
        await scene.reconnects()


async def _room(scene: Scene, turn: Turn) -> None:
    if turn.participant is not None:
        await scene.caller.others(joins=turn.participant.joins, leaves=turn.participant.leaves)
    if turn.message is not None:
        await scene.caller.sends(turn.message.text, turn.message.topic, sender=turn.message.sender)


async def _speak(scene: Scene, turn: Turn) -> None:
    if turn.noise is not None:
        await scene.caller.makes_noise(turn.noise)
    if turn.caller is None:
        return
    says = turn.caller
    scene.note("caller", says.text)
    if turn.after is not None:
        scene.caller.overlooks(scene.now)
    speak = scene.caller.says if turn.after is None else scene.caller.speaks
    await speak(says.text, **says.manner())
    scene.first_interim = scene.caller.spoke[-1].recognised


async def _agent(scene: Scene, turn: Turn) -> None:
    if turn.agent is not None:
        await meet(scene, turn.agent)


async def _hang_up(scene: Scene, turn: Turn) -> None:
    if turn.hang_up:
        scene.note("caller", "(hangs up)")
        await scene.caller.hangs_up()


_STEPS: tuple[Callable[[Scene, Turn], Awaitable[None]], ...] = (
    _wait,
    _after,
    _fault,
    _reconnect,
    _room,
    _speak,
    _agent,
    _hang_up,
)

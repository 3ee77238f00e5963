"""What the agent must do in a turn, one function a thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sayna_testing.expectations import failure, only_ours
from sayna_testing.scripts.model import Agent, MessageMatch
from sayna_testing.scripts.scene import Scene
from sayna_testing.server.journal import Entry

__tracebackhide__ = only_ours


async def meet(scene: Scene, agent: Agent) -> None:
    """Wait for what the agent must do; raises ExpectationError when it does not."""
    await _DEMANDS[agent.act](scene, agent)


async def _speech(scene: Scene, agent: Agent) -> None:
    """It is heard out, unless the next turn breaks into it: then what it was to be counts."""
    if scene.broken_into:
        await _begins_to_speak(scene, agent)
        return
    heard = await scene.caller.listens(agent.choices, within=agent.within, partial=agent.partial)
    scene.note("agent", heard.text, heard.start)
    scene.heard_out = None if agent.partial else heard.end
    scene.skip(lambda entry: _is(entry, "speak") and entry.at <= heard.start)


async def _begins_to_speak(scene: Scene, agent: Agent) -> None:
    choices = agent.choices
    entry = await scene.sees(
        lambda e: _is(e, "speak") and any(choice(str(e.data["text"])) for choice in choices),
        within=agent.within,
        expected=f"speak {' or '.join(map(str, choices))}".rstrip(),
        nearest=lambda e: _is(e, "speak"),
    )
    scene.note("agent", str(entry.data["text"]), entry.at)


async def _clear(scene: Scene, agent: Agent) -> None:
    """`within` counts from the caller's first interim, which may be long ago by now."""
    deadline = scene.first_interim + agent.within

    def in_time(entry: Entry) -> bool:
        return _is(entry, "clear") and scene.first_interim <= entry.at <= deadline

    entry = await scene.sees(
        in_time,
        within=max(deadline - scene.now, 0.0),
        words=f"clear within {agent.within:g} s of the caller's first word",
        nearest=lambda entry: _is(entry, "clear"),
    )
    scene.note("agent", "(stops speaking)", entry.at)


async def _message(scene: Scene, agent: Agent) -> None:
    wanted = agent.message or MessageMatch()

    def fits(entry: Entry) -> bool:
        return (
            _is(entry, "send_message")
            and wanted.text(str(entry.data["message"]))
            and wanted.topic in (None, entry.data.get("topic") or "messages")
            and wanted.role in (None, entry.data["role"])
        )

    entry = await scene.sees(
        fits,
        within=agent.within,
        expected=f"message {wanted.text}".rstrip(),
        nearest=lambda e: _is(e, "send_message"),
    )
    scene.note("agent", f"(sends) {entry.data['message']}")


async def _transfer(scene: Scene, agent: Agent) -> None:
    number = agent.transfer or ""
    await scene.sees(
        lambda e: _is(e, "sip_transfer") and str(e.data["transfer_to"]).strip() == number,
        within=agent.within,
        expected=f"transfer to {number}",
        nearest=lambda e: _is(e, "sip_transfer"),
    )
    scene.note("agent", f"(transfers to {number})")


async def _loading(scene: Scene, agent: Agent) -> None:
    kind = f"loading_{agent.loading}"
    await scene.sees(lambda e: _is(e, kind), within=agent.within, expected=kind)
    scene.note("agent", f"({kind.replace('_', ' ')})")


async def _silent(scene: Scene, agent: Agent) -> None:
    """What it began to say behind the last match counts too."""
    await asyncio.sleep(agent.silent or 0.0)
    spoken = [e for e in scene.caller.entries if _is(e, "speak") and e.index >= scene.since]
    if spoken:
        words = f"the agent to be silent for {agent.silent:g} s"
        raise failure(words, scene.caller.entries, nearest=spoken[0])


async def _hangs_up(scene: Scene, agent: Agent) -> None:
    await scene.caller.hung_up(within=agent.within)
    scene.note("agent", "(hangs up)")


def _is(entry: Entry, kind: str) -> bool:
    return entry.flow == ">" and entry.kind == kind


_DEMANDS: dict[str, Callable[[Scene, Agent], Awaitable[None]]] = {
    "speech": _speech,
    "clear": _clear,
    "message": _message,
    "transfer": _transfer,
    "loading": _loading,
    "silent": _silent,
    "hangs_up": _hangs_up,
}

"""What a script can let go wrong: whatever `server.faults` plans, and what happens at once."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from sayna_testing.server.faults import FAULTS, Faults, When
from sayna_testing.server.livekit import LiveKit, sip_refusal
from sayna_testing.server.session import Session


class Breakable(Protocol):
    """What can go wrong."""

    @property
    def faults(self) -> Faults:
        """What is planned to go wrong."""
        ...

    @property
    def livekit(self) -> LiveKit:
        """LiveKit's server API, which can refuse."""
        ...


async def _line_drops(_: Breakable, session: Session) -> None:
    await session.drop()


async def _server_closes(_: Breakable, session: Session, *, code: int | None = None) -> None:
    await session.close(code)


async def _recognition_fails(_: Breakable, session: Session, *, text: str) -> None:
    await session.recognition_fails(text)


async def _transfer_refused(
    server: Breakable, _: Session, *, status: str = "503 Service Unavailable", text: str = "busy"
) -> None:
    server.livekit.refuse(
        "TransferSIPParticipant", sip_refusal("TransferSIPParticipant", status, text)
    )


_NOW: dict[str, Callable[..., Awaitable[None]]] = {
    "line_drops": _line_drops,
    "server_closes": _server_closes,
    "recognition_fails": _recognition_fails,
    "transfer_refused": _transfer_refused,
}
"""At once; but a transfer is refused when the agent asks for one."""

NAMES = sorted({*FAULTS, *_NOW})


async def happen(
    server: Breakable, session: Session, name: str, options: Mapping[str, Any]
) -> None:
    """Let it happen to the session now, or plan it."""
    if name in _NOW:
        await _NOW[name](server, session, **options)
    else:
        server.faults.on(name, **options)


def checked_name(name: str) -> str:
    """The name of a fault; raises ValueError with the one that was meant."""
    if name not in NAMES:
        raise ValueError(_unknown(name, NAMES))
    return name


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Raise ValueError for what the fault does not take, or not so."""
    function = _NOW.get(name) or getattr(Faults, name)
    taken = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY or _is_subject(parameter)
    ]
    known = taken if name in _NOW else [*taken, *When.__annotations__]
    for option in options:
        if option not in known:
            raise ValueError(f"with.{option}: {_unknown(option, known)}")
    try:
        if name in _NOW:
            inspect.signature(function).bind(None, None, **options)
        else:
            Faults().on(name, **options)
    except TypeError as error:
        raise ValueError(f"with: {error}") from None


def _is_subject(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name not in (
        "self",
        "server",
        "session",
        "_",
    )


def _unknown(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    return f'got "{word}"{hint} (expected one of: {", ".join(known) or "nothing"})'

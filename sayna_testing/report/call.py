"""A recorded call as a value: what happened, how it ended, what was expected of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sayna_testing.server.journal import Entry, Wait

Status: TypeAlias = Literal["passed", "failed", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Something expected of the agent from `start` to `end`, in seconds of the journal."""

    text: str
    start: float
    end: float
    status: Status = "passed"


def expectations(waits: Iterable[Wait], since: float = 0.0) -> tuple[Expectation, ...]:
    """What a test waited for from the moment `since` on, as expectations."""
    return tuple(
        Expectation(
            text=wait.expected,
            start=max(wait.start, since),
            end=wait.end,
            status="passed" if wait.met else "failed",
        )
        for wait in waits
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything a picture of one call needs: the journal's entries and how it went.

    `reason` is the text of the failure; `failing` the number of the entry at fault (`Entry.index`).
    """

    name: str
    entries: tuple[Entry, ...]
    status: Status = "passed"
    reason: str = ""
    failing: int | None = None
    expectations: tuple[Expectation, ...] = ()

    def __post_init__(self) -> None:
        """Tell what happened in a room to the session that is in it (websocket.md 5.1)."""
        rooms: dict[object, str] = {}
        for entry in self.entries:
            if entry.kind == "ready" and "livekit_room_name" in entry.data:
                rooms.setdefault(entry.data["livekit_room_name"], entry.session)
        placed = tuple(
            replace(entry, session=rooms[room])
            if not entry.session and (room := _room_of(entry)) in rooms
            else entry
            for entry in self.entries
        )
        object.__setattr__(self, "entries", placed)

    @property
    def sessions(self) -> tuple[str, ...]:
        """The keys of the sessions in order of appearance."""
        return tuple(dict.fromkeys(entry.session for entry in self.entries if entry.session))

    @property
    def failed_at(self) -> float | None:
        """The moment to look at, in seconds: the entry at fault, else the end of a failed call."""
        if self.status != "failed":
            return None
        times = {entry.index: entry.at for entry in self.entries}
        if self.failing in times:
            return times[self.failing]
        broken = [item.end for item in self.expectations if item.status == "failed"]
        return broken[-1] if broken else max(times.values(), default=0.0)


def by_session(entries: Iterable[Entry]) -> tuple[Call, ...]:
    """A call for each session, named by its key and stream id, and one for what is of none."""
    whole = Call(name="", entries=tuple(entries))
    return tuple(
        Call(name=_named(key, own), entries=own)
        for key in (*whole.sessions, "")
        if (own := tuple(entry for entry in whole.entries if entry.session == key))
    )


def _named(key: str, entries: Iterable[Entry]) -> str:
    streams = [str(e.data["stream_id"]) for e in entries if "stream_id" in e.data]
    return " ".join([key or "outside of sessions", *dict.fromkeys(streams)])


def _room_of(entry: Entry) -> str | None:
    """The name of the room an entry is about; a webhook has it inside an object (rest.md 15.4)."""
    match entry.data.get("room"):
        case str() as name:
            return name
        case {"name": str() as name}:
            return name
        case _:
            return None

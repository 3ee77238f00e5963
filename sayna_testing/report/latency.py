"""How fast the agent was: replies, first audio, barge-ins, and their spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from sayna_testing.report.call import Call
from sayna_testing.report.playback import Clip, clips
from sayna_testing.server.journal import Entry

Kind: TypeAlias = Literal["reply", "first audio", "barge-in"]

MEANINGS: dict[Kind, str] = {
    "reply": "from the caller's last final transcript to the agent's next speak",
    "first audio": "from the agent's speak to its first byte of audio",
    "barge-in": "from the caller's first word over the agent's speech to the agent's clear",
}


@dataclass(frozen=True, slots=True)
class Latency:
    """One measured delay: when it began and how long it took, in seconds."""

    kind: Kind
    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The delays of one kind: how many, half and 95% of them at most, the worst (seconds)."""

    count: int
    p50: float
    p95: float
    worst: float


def latencies(call: Call) -> tuple[Latency, ...]:
    """Every delay of a call in order of its beginning, sessions apart."""
    found = [
        latency
        for session in call.sessions
        for latency in _of_session([e for e in call.entries if e.session == session])
    ]
    return tuple(sorted(found, key=lambda latency: (latency.at, latency.kind)))


def spreads(found: Iterable[Latency]) -> dict[Kind, Spread]:
    """The spread of each kind that was seen, in the order of `MEANINGS`."""
    everything = tuple(found)
    spread: dict[Kind, Spread] = {}
    for kind in MEANINGS:
        if values := sorted(latency.seconds for latency in everything if latency.kind == kind):
            spread[kind] = _spread(values)
    return spread


def _spread(values: Sequence[float]) -> Spread:
    """Percentiles by nearest rank: each is a delay that really happened."""

    def rank(share: float) -> float:
        return values[ceil(share * len(values)) - 1]

    return Spread(len(values), rank(0.5), rank(0.95), values[-1])


def _of_session(entries: Sequence[Entry]) -> list[Latency]:
    watch = _Stopwatch([clip for clip in clips(entries) if clip.who == "agent"])
    for entry in entries:
        react = _REACTIONS.get((entry.flow, entry.kind))
        if react is not None and entry.dropped is None and not entry.error:
            react(watch, entry)
    return watch.found


class _Stopwatch:
    """Delays under way and done, of one session."""

    def __init__(self, speech: Sequence[Clip]) -> None:
        self.found: list[Latency] = []
        self._speech = speech
        self._began: dict[Kind, float] = {}

    def heard(self, entry: Entry) -> None:
        since = self._began.get("barge-in", entry.at)
        if entry.data.get("transcript") and self._spoke_through(entry.at, entry.at):
            again = not self._spoke_through(since, entry.at)
            self._began["barge-in"] = entry.at if again else since
        if entry.data.get("is_final"):
            self._began["reply"] = entry.at

    def spoke(self, entry: Entry) -> None:
        self._end("reply", entry.at)
        self._began.setdefault("first audio", entry.at)

    def sounded(self, entry: Entry) -> None:
        self._end("first audio", entry.at)

    def cleared(self, entry: Entry) -> None:
        if self._spoke_through(self._began.get("barge-in", entry.at), entry.at):
            self._end("barge-in", entry.at)
        self._began.pop("barge-in", None)
        self._began.pop("first audio", None)

    def _end(self, kind: Kind, at: float) -> None:
        start = self._began.pop(kind, None)
        if start is not None:
            self.found.append(Latency(kind, start, round(at - start, 6)))

    def _spoke_through(self, start: float, end: float) -> bool:
        return any(c.start <= start and end <= c.start + c.heard for c in self._speech)


_REACTIONS: dict[tuple[str, str], Callable[[_Stopwatch, Entry], None]] = {
    ("<", "stt_result"): _Stopwatch.heard,
    (">", "speak"): _Stopwatch.spoke,
    ("<", "audio"): _Stopwatch.sounded,
    (">", "clear"): _Stopwatch.cleared,
}

"""The door to all pictures: something with a journal in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report.call import Call, Expectation, by_session, expectations
from sayna_testing.report.document import document
from sayna_testing.report.draw import svg
from sayna_testing.report.latency import latencies, spreads
from sayna_testing.report.page import milliseconds, page, prepare
from sayna_testing.report.text import timeline
from sayna_testing.scripts import Outcome, Turn
from sayna_testing.server.journal import Journal
from sayna_testing.server.session import Session

Form: TypeAlias = Literal["text", "svg", "html", "json"]
Subject: TypeAlias = Call | Journal | FakeSaynaServer | Session | Outcome


def render(subject: Subject, form: Form = "text") -> str:
    """A recorded call as `text` (a timeline), `svg` (lanes), `html` (a page) or `json`.

    Equal calls give equal text. Raises ValueError for another form.
    """
    if form not in _FORMS:
        raise ValueError(f"form: expected one of {', '.join(_FORMS)}, got {form!r}")
    return _FORMS[form](call_of(subject))


def call_of(subject: Subject) -> Call:
    """What was recorded there, as a call: all of a server, or one session and its room."""
    match subject:
        case Call():
            return subject
        case Session():
            calls = by_session(subject.journal)
            empty = Call(name=subject.key, entries=())
            return next((call for call in calls if subject.key in call.sessions), empty)
        case FakeSaynaServer():
            return call_of(subject.journal)
        case Outcome():
            return _played(subject)
        case _:
            return Call(
                name="call", entries=subject.entries, expectations=expectations(subject.waits)
            )


def _played(outcome: Outcome) -> Call:
    """A played script: its turns are what was expected, the first that failed says why."""
    failed = next((result for result in outcome.turns if result.status == "failed"), None)
    return Call(
        name=outcome.script.name,
        entries=outcome.entries,
        status="passed" if outcome.passed else "failed",
        reason=failed.summary if failed else "",
        failing=failed.nearest.index if failed and failed.nearest else None,
        expectations=tuple(_turns(outcome)),
    )


def _turns(outcome: Outcome) -> Iterator[Expectation]:
    """Each turn from its first word to the first word of the next."""
    begins = [result.said[0].at if result.said else None for result in outcome.turns]
    end = outcome.duration
    turns: list[Expectation] = []
    for number in reversed(range(len(begins))):
        begin = begins[number]
        start = end if begin is None else begin
        text = f"turn {number + 1}{_wanted(outcome.turns[number].turn)}"
        turns.append(
            Expectation(text=text, start=start, end=end, status=outcome.turns[number].status)
        )
        end = start
    yield from reversed(turns)


def _wanted(turn: Turn) -> str:
    if turn.agent is None:
        return ""
    if turn.agent.act != "speech":
        return f": {turn.agent.act}"
    return f": {' or '.join(str(text) for text in turn.agent.choices) or 'anything said'}"


def _text(call: Call) -> str:
    return "\n".join(_lines(call)) + "\n"


def _lines(call: Call) -> Iterator[str]:
    yield f"{call.name}: {call.status}"
    yield from call.reason.splitlines()
    mark = next((entry for entry in call.entries if entry.index == call.failing), None)
    yield from timeline(call.entries, mark=mark)
    for kind, spread in spreads(latencies(call)).items():
        half, most, worst = map(milliseconds, (spread.p50, spread.p95, spread.worst))
        yield f"{kind}: 50% {half}, 95% {most}, worst {worst} of {spread.count}"


def _html(call: Call) -> str:
    return page([prepare(call)], title="Sayna call")


_FORMS: dict[str, Callable[[Call], str]] = {
    "text": _text,
    "svg": svg,
    "html": _html,
    "json": document,
}

"""The door to all pictures: something with a journal in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from sayna_testing.report.call import Call, by_session, expectations
from sayna_testing.report.document import document
from sayna_testing.report.draw import svg
from sayna_testing.report.latency import latencies, spreads
from sayna_testing.report.page import milliseconds, page, prepare
from sayna_testing.report.text import timeline
from sayna_testing.server.fake import FakeSaynaServer
from sayna_testing.server.journal import Journal
from sayna_testing.server.session import Session

Form: TypeAlias = Literal["text", "svg", "html", "json"]
Subject: TypeAlias = Call | Journal | FakeSaynaServer | Session


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
        case Journal():
            return Call(
                name="call", entries=subject.entries, expectations=expectations(subject.waits)
            )


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

"""What `render` makes of a call: text, SVG, HTML and JSON, whatever was said."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayna_testing import report
from sayna_testing.expectations import ExpectationError
from sayna_testing.fake import FakeSaynaServer
from sayna_testing.report import Call, Expectation, record, render, write
from sayna_testing.report.text import speech_byte_rate
from sayna_testing.scripts import Agent, Outcome, Said, Says, Script, Turn, TurnResult
from sayna_testing.server.journal import Entry, Journal
from sayna_testing.server.session import Session

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x00\ud800"


def test_text_tells_how_it_ended_what_happened_and_how_fast(recording: Any) -> None:
    recording.heard(1.0, "hi", final=True)
    spoken = recording.add(1.5, ">", "speak", text="Hello")
    call = replace(recording.call, status="failed", reason="expected: more", failing=spoken.index)
    assert render(call).splitlines() == [
        "a call: failed",
        "expected: more",
        '        +1.000  agent  < heard     final "hi" (end of speech)',
        ' >>>    +1.500  agent  > speak     "Hello"',
        "reply: 50% 500 ms, 95% 500 ms, worst 500 ms of 1",
    ]


def test_json_holds_everything_the_journal_holds(recording: Any) -> None:
    recording.add(0.5, ">", "audio", audio=b"\x01\x02")
    recording.add(0.75, ">", "speak", text="ü", dropped="why", error=True)
    call = replace(recording.call, expectations=(Expectation(text="x", start=0, end=1),))
    assert json.loads(render(call, "json")) == {
        "name": "a call",
        "status": "passed",
        "reason": "",
        "failing": None,
        "sessions": ["ws-1"],
        "latencies": [],
        "expectations": [{"text": "x", "start": 0, "end": 1, "status": "passed"}],
        "entries": [
            {
                "index": 0, "at": 0.5, "session": "ws-1", "flow": ">", "kind": "audio",
                "data": {}, "audio": "AQI=", "dropped": None, "error": False,
            },
            {
                "index": 1, "at": 0.75, "session": "ws-1", "flow": ">", "kind": "speak",
                "data": {"type": "speak", "text": "ü"}, "audio": None, "dropped": "why",
                "error": True,
            },
        ],
    }  # fmt: skip


def test_an_svg_names_the_lanes_and_shows_the_texts(make_barge_in: Callable[..., Call]) -> None:
    texts = [e.text for e in ET.fromstring(render(make_barge_in(), "svg")).iter(f"{SVG}text")]
    lanes = ["caller", "agent", "transcripts", "speech", "control", "webhooks", "faults"]
    assert [text for text in texts if text in lanes] == lanes
    assert "I am listening." in texts


def test_an_svg_marks_the_failing_moment_only_when_there_is_one(
    make_barge_in: Callable[..., Call],
) -> None:
    def marks(call: Call) -> int:
        groups = ET.fromstring(render(call, "svg")).iter(f"{SVG}g")
        return sum(group.get("class") == "failing" for group in groups)

    assert marks(make_barge_in(failed=True)) == 1
    assert marks(make_barge_in()) == 0


def test_an_svg_draws_the_wave_of_the_real_audio(recording: Any) -> None:
    loud, soft = b"\xff\x7f" * 24000, b"\x00\x20" * 24000
    recording.add(0.0, "<", "audio", audio=loud + soft)
    (wave,) = ET.fromstring(render(recording.call, "svg")).iter(f"{SVG}polygon")
    points = [point.split(",") for point in str(wave.get("points")).split()]
    assert [int(y) for _, y in points[:100]] == [0] * 50 + [75] * 50
    assert [int(y) for _, y in points[100:]] == [125] * 50 + [200] * 50


def test_an_svg_of_several_sessions_says_which_lane_is_whose(recording: Any) -> None:
    recording.add(0.0, ">", "open")
    recording.add(0.1, ">", "open", session="ws-2")
    spans = ET.fromstring(render(recording.call, "svg")).iter(f"{SVG}tspan")
    assert [span.text for span in spans] == ["ws-1", "ws-2"]


def test_a_call_in_which_nothing_happened_can_be_drawn() -> None:
    call = Call(name="silence", entries=())
    ET.fromstring(render(call, "svg"))
    assert "silence" in render(call, "html")


def test_a_journal_can_be_rendered() -> None:
    journal = Journal()
    journal.record("open", flow=">", session="ws-1")
    assert render(journal).splitlines() == ["call: passed", "        +0.000  agent  > open"]


def test_another_form_is_refused_with_the_forms_there_are(recording: Any) -> None:
    with pytest.raises(ValueError, match="form: expected one of text, svg, html, json, got 'pdf'"):
        render(recording.call, "pdf")  # type: ignore[arg-type]


def test_a_name_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'draw_me'"):
        report.draw_me  # noqa: B018
    assert all(getattr(report, name) for name in report.__all__)


@pytest.mark.parametrize("form", ["text", "svg", "html", "json"])
def test_equal_calls_give_equal_text(make_barge_in: Callable[..., Call], form: Any) -> None:
    assert render(make_barge_in(), form) == render(make_barge_in(), form)


def test_a_run_gives_the_same_page_whatever_the_order_and_the_process(
    make_barge_in: Callable[..., Call], tmp_path: Path
) -> None:
    calls = [make_barge_in("b"), make_barge_in("a"), make_barge_in("z", failed=True)]
    one, other = tmp_path / "one.html", tmp_path / "deep" / "other.html"
    write(one, map(record, calls))
    write(other, map(record, reversed(calls)))
    assert one.read_bytes() == other.read_bytes()
    assert re.findall(r'<a href="#call-\d">(.)</a>', one.read_text("utf-8")) == ["z", "a", "b"]


def test_calls_that_hear_the_same_speech_share_its_sound(
    make_barge_in: Callable[..., Call], tmp_path: Path
) -> None:
    write(tmp_path / "run.html", map(record, (make_barge_in("a"), make_barge_in("b"))))
    assert (tmp_path / "run.html").read_text("utf-8").count('id="sound-') == 3


def test_a_page_of_no_calls_says_so(tmp_path: Path) -> None:
    write(tmp_path / "run.html", [])
    assert "No calls were recorded." in (tmp_path / "run.html").read_text("utf-8")


class Elements(HTMLParser):
    """Every element of a page, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_points_to_nothing_outside_of_itself(make_barge_in: Callable[..., Call]) -> None:
    found = Elements(render(make_barge_in(), "html"))
    assert set(found.addresses) == {"#", "#call-1"}
    assert "link" not in found.tags


def test_hostile_texts_never_become_markup(recording: Any) -> None:
    recording.heard(1.0, HOSTILE, final=True)
    recording.add(1.2, ">", "speak", text=HOSTILE)
    recording.add(1.3, ">", HOSTILE)
    tame = replace(recording.call, name="x", reason="x", status="failed")
    call = replace(tame, name=HOSTILE, reason=HOSTILE)
    plain = Elements(render(tame, "html")).tags
    assert Elements(render(call, "html")).tags == plain
    texts = [e.text for e in ET.fromstring(render(call, "svg")).iter(f"{SVG}text")]
    assert HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd") in texts


anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@given(text=anything, name=anything, audio=st.binary(max_size=99), at=st.floats(0, 4000))
def test_any_text_and_audio_can_be_drawn(text: str, name: str, audio: bytes, at: float) -> None:
    call = Call(
        name=name,
        reason=text,
        status="failed",
        entries=(
            Entry(0, 0.0, "ws-1", ">", text, {text: [text]}),
            Entry(1, at, "ws-1", "<", "audio", {}, audio),
            Entry(2, at, "ws-1", "<", "stt_result", {"transcript": text, "is_final": True}),
        ),
    )
    ET.fromstring(render(call, "svg"))
    render(call, "html").encode()
    assert (
        json.loads(render(call, "json"))["entries"][1]["audio"] == base64.b64encode(audio).decode()
    )


def test_a_very_long_text_in_a_frame_is_cut_in_the_page_only(recording: Any) -> None:
    recording.add(0.0, ">", "config", loading_audio={"data": "QUJD" * 50000, "list": ["A"]})
    assert len(render(recording.call, "html")) < 30000
    assert "QUJD" * 50000 in render(recording.call, "json")


def test_rate_of_speech_follows_the_config() -> None:
    assert speech_byte_rate({"audio_format": "mulaw", "sample_rate": 8000}) == 8000
    assert speech_byte_rate({}) == 48000


async def test_a_server_and_a_session_can_be_rendered() -> None:
    with FakeSaynaServer() as server:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.get(f"{server.url}/voices"),
            http.ws_connect(server.ws_url) as ws,
        ):
            await ws.send_json({"type": "config", "audio": False, "stream_id": "job-9"})
            await ws.receive_json()
            session = await server.wait_for_session()
            with pytest.raises(ExpectationError) as missed:
                await session.wait_for_speech(timeout=0.01)
            whole, one = (json.loads(render(subject, "json")) for subject in (server, session))
    assert [entry["kind"] for entry in whole["entries"]] == ["http", "open", "config", "ready"]
    assert [entry["kind"] for entry in one["entries"]] == ["open", "config", "ready"]
    assert (whole["name"], one["name"]) == ("call", "ws-1 job-9")
    assert [(wait["text"], wait["status"]) for wait in whole["expectations"]] == [
        ("a ready session within 5 s", "passed"),
        ("speak within 0.01 s", "failed"),
    ]
    assert missed.value.summary == (
        "expected: speak within 0.01 s\nnearest : nothing of that kind came"
    )
    assert missed.value.nearest is None


def test_a_session_of_which_the_journal_holds_nothing_is_an_empty_call() -> None:
    async def come_and_go(server: FakeSaynaServer) -> Session:
        async with (
            aiohttp.ClientSession(connector=server.connector()) as http,
            http.ws_connect(server.ws_url),
        ):
            return server.sessions[0]

    with FakeSaynaServer() as server:
        session = asyncio.run(come_and_go(server))
        server.reset()
        assert json.loads(render(session, "json"))["entries"] == []


def test_a_played_script_is_a_call_whose_turns_were_expected() -> None:
    turns = (
        Turn(caller=Says(text="no, wait"), agent=Agent(clear=True)),
        Turn(agent=Agent(contains="sorry")),
        Turn(agent=Agent()),
        Turn(hang_up=True),
    )
    script = Script(name="barge-in", turns=turns)
    spoken = Entry(0, 2.0, "ws-1", ">", "speak", {"text": "What?"})
    results = (
        TurnResult(turns[0], "passed", (Said(0.5, "caller", "no, wait"),)),
        TurnResult(turns[1], "failed", (Said(1.0, "agent", "What?"),), "long", "short", spoken),
        TurnResult(turns[2], "not run"),
        TurnResult(turns[3], "not run"),
    )
    call = json.loads(render(Outcome(script, results, (spoken,)), "json"))
    assert (call["name"], call["status"]) == ("barge-in", "failed")
    assert (call["reason"], call["failing"]) == ("short", 0)
    assert [tuple(turn.values()) for turn in call["expectations"]] == [
        ("turn 1: clear", 0.5, 1.0, "passed"),
        ('turn 2: containing "sorry"', 1.0, 2.0, "failed"),
        ("turn 3: anything said", 2.0, 2.0, "not run"),
        ("turn 4", 2.0, 2.0, "not run"),
    ]

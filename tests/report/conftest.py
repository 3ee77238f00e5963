"""Calls to draw: entries as the fake records them, with real synthetic speech."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sayna_testing.report import Call, Expectation
from sayna_testing.server.journal import Entry, Flow
from sayna_testing.speech import synthesize
from tests.report.browser import Browser, Tab, find, running

CONFIG: dict[str, Any] = {
    "type": "config",
    "stt_config": {"provider": "deepgram", "encoding": "linear16", "sample_rate": 16000},
    "tts_config": {"provider": "cartesia", "model": "", "sample_rate": 16000},
}


class Recording:
    """Entries written down one after another, as a journal would number them."""

    def __init__(self, session: str = "ws-1") -> None:
        self.entries: list[Entry] = []
        self.session = session

    def add(
        self,
        at: float,
        flow: Flow,
        kind: str,
        *,
        audio: bytes | None = None,
        dropped: str | None = None,
        error: bool = False,
        session: str | None = None,
        **data: Any,
    ) -> Entry:
        where = self.session if session is None else session
        frame = {} if kind == "audio" else {"type": kind, **data}
        entry = Entry(len(self.entries), at, where, flow, kind, frame, audio, dropped, error)
        self.entries.append(entry)
        return entry

    def heard(self, at: float, text: str, *, final: bool = False, **how: Any) -> Entry:
        return self.add(
            at, "<", "stt_result", transcript=text, is_final=final, is_speech_final=final,
            confidence=0.98, **how,
        )  # fmt: skip

    def spoken(self, at: float, text: str, *, burst: float = 0.2) -> float:
        """A `speak`, its audio in 10 ms frames, its completion; returns when it would be over."""
        self.add(at, ">", "speak", text=text)
        audio = synthesize(text, 16000)
        size = 320
        frames = [audio[start : start + size] for start in range(0, len(audio), size)]
        for number, frame in enumerate(frames):
            self.add(round(at + 0.1 + burst * number / len(frames), 6), "<", "audio", audio=frame)
        self.add(at + 0.1 + burst, "<", "tts_playback_complete", timestamp=1767225602950)
        return at + 0.1 + len(audio) / 32000

    @property
    def call(self) -> Call:
        return Call(name="a call", entries=tuple(self.entries))


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def make_barge_in() -> Callable[..., Call]:
    """A booking with a barge-in, as passed or failed call; `seed` varies what is said."""

    def make(name: str = "booking with a barge-in", *, seed: int = 0, failed: bool = False) -> Call:
        told = Recording()
        told.add(0.0, "<", "webhook", session="", url="https://agent.example/sayna", status=200)
        told.add(0.02, ">", "open")
        told.add(0.03, ">", "config", **{k: v for k, v in CONFIG.items() if k != "type"})
        told.add(0.08, "<", "ready", stream_id="call-42", livekit_url="http://localhost:7880")
        over = told.spoken(0.1, f"Hello, this is table {seed}! How can I help you today?")
        for number, words in enumerate(("A", "A table", "A table for", "A table for two")):
            told.heard(over + 0.4 + 0.3 * number, words)
        told.heard(over + 1.7, "A table for two", final=True)
        told.spoken(over + 2.1, "Of course. What time would you like to come, and on which day?")
        told.heard(over + 3.6, "no")
        told.add(over + 3.71, ">", "clear")
        told.heard(over + 3.9, "no, wait")
        told.heard(over + 4.2, "no, wait", final=True)
        told.heard(over + 4.4, "psst", dropped="protected speech (websocket.md 7.2)")
        told.spoken(over + 4.6, "I am listening.")
        told.add(over + 5.0, ">", "speak_up")
        told.add(
            over + 5.01, "<", "error", error=False,
            message="Invalid message format: unknown variant `speak_up`",
        )  # fmt: skip
        told.add(over + 5.5, "*", "fault", session="", fault="drop the connection", after="1.2 s")
        told.add(over + 6.9, "*", "close")
        expectations = (
            Expectation(text='speak containing "how can I help"', start=0.08, end=0.1),
            Expectation(text='speak matching "what time|when"', start=over + 1.7, end=over + 2.1),
            Expectation(text="clear within 150 ms", start=over + 3.6, end=over + 3.71),
            Expectation(
                text='speak containing "cancelled"', start=over + 4.2, end=over + 6.9,
                status="failed" if failed else "passed",
            ),
        )  # fmt: skip
        failing = next(e.index for e in told.entries if e.data.get("text") == "I am listening.")
        return Call(
            name=name,
            entries=tuple(told.entries),
            status="failed" if failed else "passed",
            reason='expected: speak containing "cancelled"\nnearest : speak "I am listening."'
            if failed
            else "",
            failing=failing if failed else None,
            expectations=expectations,
        )

    return make


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.skip("no Chromium here; `make browser` installs it where apt can")
    with running(path, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Tab]:
    """A page of its own, which must not complain or ask for anything it was not sent to."""
    with chromium.tab() as opened:
        yield opened
        assert opened.problems == []

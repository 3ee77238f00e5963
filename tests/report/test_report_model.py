"""The model under the pictures: where audio stands, how long the agent took, what goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sayna_testing.report import Call, Expectation
from sayna_testing.report.draw import ticks
from sayna_testing.report.events import events
from sayna_testing.report.lanes import picture
from sayna_testing.report.latency import Latency, Spread, latencies, spreads
from sayna_testing.report.playback import clips
from sayna_testing.server.journal import Entry

STT = {"provider": "deepgram", "encoding": "linear16", "sample_rate": 16000}
SECOND = bytes(48000)  # of speech as a config without a sample rate gets it: 24 kHz, 16 bit


def heard_of(entries: list[Entry]) -> list[tuple[str, float, float, float]]:
    return [(clip.who, clip.start, clip.duration, clip.heard) for clip in clips(entries)]


def test_speech_that_comes_in_a_burst_is_heard_in_real_time(recording: Any) -> None:
    for at in (1.0, 1.01, 1.02):
        recording.add(at, "<", "audio", audio=SECOND)
    assert heard_of(recording.entries) == [("agent", 1.0, 3.0, 3.0)]


def test_speech_that_comes_while_earlier_speech_plays_waits_for_its_end(recording: Any) -> None:
    recording.add(1.0, "<", "audio", audio=SECOND)
    recording.add(1.1, "<", "tts_playback_complete")
    recording.add(1.5, "<", "audio", audio=SECOND)
    assert heard_of(recording.entries) == [("agent", 1.0, 1.0, 1.0), ("agent", 2.0, 1.0, 1.0)]


def test_clear_ends_what_plays_and_drops_what_waits(recording: Any) -> None:
    recording.add(1.0, "<", "audio", audio=SECOND)
    recording.add(1.1, ">", "speak", text="more")
    recording.add(1.2, "<", "audio", audio=SECOND)
    recording.add(1.25, ">", "clear")
    recording.add(1.5, "<", "audio", audio=SECOND)
    assert heard_of(recording.entries) == [
        ("agent", 1.0, 1.0, 0.25),
        ("agent", 1.5, 1.0, 1.0),
        ("agent", 2.0, 1.0, 0.0),
    ]


def test_a_clear_that_the_server_ignored_ends_nothing(recording: Any) -> None:
    recording.add(1.0, "<", "audio", audio=SECOND)
    recording.add(1.25, ">", "clear", dropped="protected speech")
    assert heard_of(recording.entries) == [("agent", 1.0, 1.0, 1.0)]


def test_mic_frames_of_a_steady_stream_are_one_stretch(recording: Any) -> None:
    recording.add(0.0, ">", "config", stt_config=STT, tts_config={"sample_rate": 8000})
    for number in range(10):
        recording.add(1.0 + 0.1 * number, ">", "audio", audio=bytes(3200))
    recording.add(5.0, ">", "audio", audio=bytes(3200))
    assert heard_of(recording.entries) == [("caller", 1.0, 1.0, 1.0), ("caller", 5.0, 0.1, 0.1)]


@pytest.mark.parametrize(
    ("form", "seconds"),
    [("linear16", 0.5), ("pcm", 0.5), ("mulaw", 1.0), ("alaw", 1.0), ("mp3", 0)],
)
def test_the_length_of_speech_follows_its_format(recording: Any, form: str, seconds: float) -> None:
    recording.add(0.0, ">", "config", tts_config={"audio_format": form, "sample_rate": 8000})
    recording.add(1.0, "<", "audio", audio=bytes(8000))
    assert heard_of(recording.entries) == [("agent", 1.0, seconds, seconds)]


def test_a_reply_counts_from_the_last_final(recording: Any) -> None:
    recording.heard(1.0, "a table", final=True)
    recording.heard(1.5, "for two", final=True)
    recording.add(2.25, ">", "speak", text="When?")
    recording.add(2.5, "<", "audio", audio=SECOND)
    recording.add(9.0, ">", "speak", text="Hello?")
    assert latencies(recording.call) == (
        Latency("reply", 1.5, 0.75),
        Latency("first audio", 2.25, 0.25),
    )


def test_a_barge_in_counts_from_the_first_word_over_the_agent(recording: Any) -> None:
    recording.heard(0.5, "hello")
    recording.add(1.0, "<", "audio", audio=SECOND)
    recording.heard(1.25, "")
    recording.heard(1.5, "no")
    recording.heard(1.6, "no wait")
    recording.add(1.75, ">", "clear")
    assert latencies(recording.call) == (Latency("barge-in", 1.5, 0.25),)


def test_words_over_speech_that_ended_by_itself_are_no_barge_in(recording: Any) -> None:
    recording.add(1.0, "<", "audio", audio=SECOND)
    recording.heard(1.5, "hm")
    recording.add(3.0, "<", "audio", audio=SECOND)
    recording.heard(3.5, "stop")
    recording.add(3.75, ">", "clear")
    recording.add(4.0, "<", "audio", audio=SECOND)
    recording.heard(4.5, "hm")
    recording.add(7.0, ">", "clear")
    assert latencies(recording.call) == (Latency("barge-in", 3.5, 0.25),)


def test_what_the_server_swallowed_starts_no_delay(recording: Any) -> None:
    recording.heard(1.0, "hello", final=True, dropped="protected speech")
    recording.add(2.0, ">", "speak", text="Hi", error=True)
    assert latencies(recording.call) == ()


def test_percentiles_are_delays_that_really_happened() -> None:
    found = [Latency("reply", 0.0, second) for second in (4.0, 1.0, 3.0, 2.0)]
    assert spreads(found) == {"reply": Spread(count=4, p50=2.0, p95=4.0, worst=4.0)}


def test_a_failed_call_points_at_the_entry_at_fault(make_barge_in: Callable[..., Call]) -> None:
    call = make_barge_in(failed=True)
    assert call.failed_at == next(e.at for e in call.entries if e.index == call.failing)
    assert make_barge_in().failed_at is None


def test_a_failed_call_without_an_entry_at_fault_points_at_what_was_expected() -> None:
    expected = Expectation(text="speak", start=1.0, end=6.0, status="failed")
    call = Call(name="silent", entries=(), status="failed", expectations=(expected,))
    assert call.failed_at == 6.0


def test_a_failed_call_without_facts_points_at_its_end(recording: Any) -> None:
    recording.add(2.5, ">", "open")
    call = Call(name="broken", entries=recording.call.entries, status="failed")
    assert call.failed_at == 2.5


def test_runs_of_audio_are_one_event_and_everything_else_is_one_each(recording: Any) -> None:
    recording.add(0.0, ">", "config", stt_config=STT, livekit={"room_name": "r-1"})
    for at in (0.1, 0.2):
        recording.add(at, "<", "audio", audio=SECOND)
    recording.add(0.3, ">", "audio", audio=bytes(16000))
    recording.add(0.4, ">", "audio", audio=b"x", dropped="too late")
    recording.add(0.5, ">", "speak", text="No", allow_interruption=False)
    recording.add(0.6, ">", "config", audio=None)
    recording.add(0.7, ">", "http", method="GET", path="/voices", status=200)
    recording.add(0.8, "*", "fault", why="x" * 80)
    recording.entries.append(Entry(9, 0.9, "ws-1", "*", "fault", {"fault": "reset", "at": "ready"}))
    assert [event.text for event in events(recording.entries)] == [
        "config    stt=deepgram  room=r-1",
        "audio     2.00 s in 2 frames",
        "audio     0.50 s",
        "audio     0.00 s  (dropped: too late)",
        'speak     "No"  (protected)',
        "config    control only",
        "http      GET /voices -> 200",
        f'fault     why="{"x" * 56}...',
        "fault     reset at ready",
    ]


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"error": "Room 'x' not found"}, " \"Room 'x' not found\""),
        ({"error": "No such participant", "code": "NOT_FOUND"}, ' "No such participant"'),
        ({"error": "unauthorized", "message": "Who?"}, ' "Who?"'),
        ("missing field `text`", ' "missing field `text`"'),
        (None, ""),
        ([1], ""),
    ],
)
def test_a_refused_request_says_why(recording: Any, response: object, said: str) -> None:
    recording.add(0.0, ">", "http", method="GET", path="/x", status=404, response=response)
    (event,) = events(recording.entries)
    assert event.text == f"http      GET /x -> 404{said}"


def test_audio_of_both_directions_at_once_is_one_event_each(recording: Any) -> None:
    recording.add(0.0, ">", "config", stt_config=STT)
    for number in range(5):
        recording.add(0.1 * number, "<", "audio", audio=bytes(4800))
        recording.add(0.1 * number, ">", "audio", audio=bytes(3200))
    assert [(event.entry.flow, event.text) for event in events(recording.entries)][1:] == [
        ("<", "audio     0.50 s in 5 frames"),
        (">", "audio     0.50 s in 5 frames"),
    ]


def in_a_room(recording: Any) -> None:
    """A caller and an agent in a room; what happens there is of no session by itself."""
    recording.add(0.0, "<", "ready", livekit_room_name="call-7")
    world = {"session": "", "room": "call-7"}
    recording.add(0.2, "*", "participant_joined", identity="sip-1", **world)
    recording.entries.append(
        Entry(2, 0.5, "", "*", "caller_audio", {"room": "call-7", "sample_rate": 8000}, bytes(8000))
    )
    recording.entries.append(
        Entry(3, 0.6, "", "*", "room_audio", {"room": "call-7", "sample_rate": 24000}, SECOND)
    )
    recording.add(1.0, "*", "room_audio_cleared", **world)
    recording.add(1.1, "*", "participant_left", session="", room="another")


def test_what_happens_in_a_room_belongs_to_the_session_that_is_in_it(recording: Any) -> None:
    in_a_room(recording)
    assert [entry.session for entry in recording.call.entries] == [*["ws-1"] * 5, ""]


def test_the_webhook_of_a_call_belongs_to_the_session_in_its_room(recording: Any) -> None:
    recording.add(0.0, "*", "webhook", session="", room={"name": "call-7", "sid": "RM_1"})
    recording.add(0.1, "<", "ready", livekit_room_name="call-7")
    assert [entry.session for entry in recording.call.entries] == ["ws-1", "ws-1"]


def test_audio_in_a_room_is_heard_there_and_cleared_there(recording: Any) -> None:
    in_a_room(recording)
    assert heard_of(recording.call.entries) == [
        ("caller", 0.5, 0.5, 0.5),
        ("agent", 0.6, 1.0, 0.4),
    ]
    assert [event.text for event in events(recording.call.entries)][2:4] == [
        "audio     of the caller 0.50 s",
        "audio     into the room 1.00 s",
    ]


def test_audio_of_a_compressed_format_is_told_in_bytes(recording: Any) -> None:
    recording.add(0.0, ">", "config", tts_config={"audio_format": "mp3"})
    recording.add(0.1, "<", "audio", audio=b"abc")
    assert events(recording.entries)[1].text == "audio     3 bytes of mp3"


def lanes_of(call: Call) -> dict[str, list[str]]:
    return {lane.name: [item.label for item in lane.items] for lane in picture(call).lanes}


def test_everything_stands_in_its_lane(make_barge_in: Callable[..., Call]) -> None:
    assert lanes_of(make_barge_in()) == {
        "caller": ["A table for two", "no, wait", "psst"],
        "agent": [],
        "transcripts": ["A table for two", "no, wait", "psst"],
        "speech": [
            "Hello, this is table 0! How can I help you today?",
            "\N{CHECK MARK}",
            "Of course. What time would you like to come, and on which day?",
            "\N{CHECK MARK}",
            "I am listening.",
            "\N{CHECK MARK}",
        ],
        "control": [
            "open",
            "config stt=deepgram  tts=cartesia",
            'ready stream_id="call-42"',
            "clear",
            "speak_up",
            'error message="Invalid message format: unknown variant `speak_up`"',
            "close",
        ],
        "webhooks": ['webhook url="https://agent.example/sayna" answered=200'],
        "faults": ['fault fault="drop the connection" after="1.2 s"'],
        "expectations": [
            'speak containing "how can I help"',
            'speak matching "what time|when"',
            "clear within 150 ms",
            'speak containing "cancelled"',
        ],
    }


def test_interims_lead_to_their_final_and_a_last_interim_stands_alone(recording: Any) -> None:
    recording.heard(1.0, "a")
    recording.heard(1.5, "a table")
    recording.heard(2.0, "A table.", final=True)
    recording.heard(3.0, "for")
    recording.heard(3.5, "for two")
    (lane,) = [lane for lane in picture(recording.call).lanes if lane.name == "transcripts"]
    assert [(i.start, i.end, i.label, i.tone, i.steps) for i in lane.items] == [
        (1.0, 2.0, "A table.", "", ((1.0, 0), (1.5, 1))),
        (3.0, 3.5, "for two", "interim", ((3.0, 3),)),
    ]


def test_a_caller_with_a_voice_is_drawn_as_a_wave_and_not_as_words(recording: Any) -> None:
    recording.add(0.0, ">", "config", stt_config=STT)
    recording.add(0.0, ">", "audio", audio=b"\x00\x40" * 16000)
    recording.heard(1.0, "hello", final=True)
    caller = picture(recording.call).lanes[0]
    assert (caller.name, caller.items) == ("caller", ())
    assert set(caller.waves[0].peaks) == {50}


def test_audio_that_was_refused_is_told_and_not_heard(recording: Any) -> None:
    recording.add(0.5, ">", "audio", audio=bytes(3200), error=True)
    assert lanes_of(recording.call) == {"faults": ["audio 3200 bytes"]}


def test_audio_of_a_compressed_format_is_a_stretch_without_a_wave(recording: Any) -> None:
    recording.add(0.0, ">", "config", tts_config={"audio_format": "mp3"})
    recording.add(0.5, "<", "audio", audio=b"abc")
    (lane,) = [lane for lane in picture(recording.call).lanes if lane.name == "agent"]
    assert [wave.peaks for wave in lane.waves] == [()]


def test_sessions_have_lanes_of_their_own(recording: Any) -> None:
    recording.add(0.0, ">", "open")
    recording.add(0.1, ">", "open", session="ws-2")
    recording.add(0.2, ">", "http", session="", method="GET", path="/", status=200)
    assert [(lane.name, lane.session) for lane in picture(recording.call).lanes] == [
        ("control", "ws-1"),
        ("control", "ws-2"),
        ("webhooks", ""),
    ]


def test_labels_that_would_collide_stand_in_rows(recording: Any) -> None:
    for number in range(7):
        recording.add(0.01 * number, ">", "a_message_with_a_long_name")
    recording.add(60.0, ">", "close")
    (lane,) = picture(recording.call).lanes
    assert [item.row for item in lane.items] == [0, 1, 2, 3, 4, 0, 1, 0]
    assert lane.rows == 5
    assert lane.items[0].room == 0.05


@pytest.mark.parametrize(
    ("duration", "labels"),
    [
        (0.0, ["0:00.000"]),
        (
            0.03,
            ["0:00.000", "0:00.005", "0:00.010", "0:00.015", "0:00.020", "0:00.025", "0:00.030"],
        ),
        (2.0, ["0:00.0", "0:00.2", "0:00.4", "0:00.6", "0:00.8"]),
        (25.0, ["0:00", "0:05", "0:10", "0:15", "0:20", "0:25"]),
        (150.0, ["0:00", "0:15", "0:30", "0:45", "1:00", "1:15", "1:30"]),
        (1800.0, ["0:00", "5:00", "10:00", "15:00", "20:00"]),
    ],
)
def test_the_axis_has_lines_at_round_times(duration: float, labels: list[str]) -> None:
    shown = [tick.label for tick in ticks(0.0, duration) if tick.level == 0]
    assert shown[: len(labels)] == labels
    assert 1 <= len(shown) <= 13


def test_an_axis_that_begins_late_begins_with_a_round_time() -> None:
    shown = [tick.label for tick in ticks(3601.4, 5.0) if tick.level == 0]
    assert shown == ["60:01.5", "60:02.0", *shown[2:]]


def test_a_late_session_is_drawn_from_its_own_beginning_on(recording: Any) -> None:
    recording.add(100.0, ">", "open")
    recording.add(104.0, ">", "close")
    drawn = picture(recording.call)
    assert (drawn.start, drawn.duration) == (100.0, 4.0)


@pytest.mark.parametrize("duration", [0.01, 1.0, 7.3, 59.0, 180.0, 3600.0])
def test_zooming_adds_lines_between_the_lines(duration: float) -> None:
    times = {n: [tick.at for tick in ticks(0.0, duration) if tick.level <= n] for n in range(3)}
    assert len(times[0]) < len(times[1]) < len(times[2]) or duration < 0.02
    assert all(times[n] == sorted(set(times[n])) for n in times)

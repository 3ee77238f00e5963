"""What a failure says."""

from __future__ import annotations

import re

from sayna_testing.expectations import Text, failure
from sayna_testing.server.journal import Journal


def test_a_text_is_checked_whole_in_part_or_by_pattern() -> None:
    assert Text()("anything")
    assert Text(equals="Hello")("Hello")
    assert not Text(equals="Hello")("hello")
    assert Text(contains="HOW MANY")("For how many?")
    assert Text(matches="what|which")("On Which day?")
    assert Text(contains=re.compile("b.d"))("booked bed")
    assert not Text(matches=re.compile("x"))("y")


def test_reasons_name_every_unmet_demand() -> None:
    assert Text(equals="a", contains="b", matches="c").reasons("z") == [
        'is not "a"',
        'no "b" in it',
        "nothing in it matches 'c'",
    ]
    assert Text(contains=re.compile("q")).reasons("z") == ["nothing in it matches 'q'"]


def test_a_demand_reads_as_a_phrase() -> None:
    assert str(Text(contains="how many")) == 'containing "how many"'
    assert str(Text(matches=re.compile("a|b"))) == 'matching "a|b"'


def test_a_failure_shows_the_nearest_miss_in_the_timeline() -> None:
    journal = Journal()
    journal.record(
        "config",
        flow=">",
        session="ws-1",
        data={
            "type": "config",
            "stt_config": {"provider": "deepgram", "sample_rate": 16000, "encoding": "linear16"},
            "tts_config": {"provider": "cartesia", "sample_rate": 8000},
            "livekit": {"room_name": "r1"},
        },
    )
    journal.record("config", flow=">", session="ws-2", data={"type": "config"})
    spoken = journal.record("speak", flow=">", session="ws-1", data={"text": "For what time?"})
    for _ in range(3):
        journal.record("audio", flow="<", session="ws-1", audio=bytes(4000))
    journal.record("audio", flow=">", session="ws-1", audio=bytes(32000))
    journal.record("audio", flow=">", session="ws-9", audio=bytes(7))
    journal.record(
        "stt_result",
        flow="<",
        session="ws-1",
        data={"transcript": "no", "is_final": True, "is_speech_final": True},
        dropped="protected speech",
    )
    journal.record("stt_result", flow="<", data={"transcript": "n", "is_final": False})
    journal.record("http", flow=">", data={"method": "GET", "path": "/", "status": 200})
    journal.record("message", flow="<", data={"type": "message", "text": "x" * 80, "n": 1})
    journal.record("tts_playback_complete", flow="<", data={"timestamp": 1})
    error = failure(
        'speak containing "how many" within 0.8 s',
        journal,
        nearest=spoken,
        reason='no "how many" in it',
        where="booking.sayna.toml:9",
    )
    text = re.sub(r"\+\d\.\d{3}", "+T", str(error))
    assert text.splitlines() == [
        'expected: speak containing "how many" within 0.8 s        booking.sayna.toml:9',
        'nearest : agent  > speak     "For what time?" at +T s   no "how many" in it',
        "        +T  ws-1   > config    stt=deepgram  tts=cartesia  room=r1",
        "        +T  ws-2   > config    control only",
        ' >>>    +T  ws-1   > speak     "For what time?"',
        "        +T  ws-1   < audio     0.75 s in 3 frames",
        "        +T  ws-1   > audio     1.00 s",
        "        +T  ws-9   > audio     7 bytes",
        '        +T  ws-1   < heard     final "no" (end of speech)  (dropped: protected speech)',
        '        +T  agent  < heard     interim "n"',
        "        +T  agent  > http      GET / -> 200",
        f'        +T  agent  < message   text="{"x" * 56}... n=1',
        "        +T  agent  < completed",
    ]


def test_a_failure_without_any_candidate_says_so() -> None:
    assert str(failure("clear within 1 s", [])).splitlines() == [
        "expected: clear within 1 s",
        "nearest : nothing of that kind came",
    ]

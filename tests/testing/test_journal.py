"""The journal: order, redaction, waits from any thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from sayna_testing.server.journal import Entry, Journal, redact


def test_entries_come_in_order_with_growing_numbers_and_times() -> None:
    journal = Journal()
    journal.record("open", flow=">", session="ws-1")
    journal.record("speak", flow=">", session="ws-1", data={"type": "speak", "text": "hi"})
    assert [(e.index, e.kind) for e in journal] == [(0, "open"), (1, "speak")]
    assert journal.entries[0].at == 0.0
    assert journal.entries[1].at >= 0.0
    assert journal.now >= journal.entries[1].at
    assert [e.kind for e in journal.since(1)] == ["speak"]
    assert len(journal) == 2


def test_secrets_at_any_depth_read_as_stars() -> None:
    config = {
        "stt_config": {"provider": "deepgram", "auth": {"api_key": "dg-123"}},
        "list": [{"Authorization": "Bearer t"}, 5],
        "token": None,
    }
    assert redact(config) == {
        "stt_config": {"provider": "deepgram", "auth": {"api_key": "***"}},
        "list": [{"Authorization": "***"}, 5],
        "token": None,
    }


def test_a_wait_finds_what_was_there_already() -> None:
    journal = Journal()
    journal.record("speak", flow=">")
    assert journal.first(lambda e: e.kind == "speak").result(timeout=0).index == 0


def test_a_wait_ignores_what_stands_before_its_start() -> None:
    journal = Journal()
    journal.record("speak", flow=">")
    future = journal.first(lambda e: e.kind == "speak", start=1)
    assert not future.done()
    assert journal.record("speak", flow=">") == future.result(timeout=0)


async def test_a_wait_in_a_loop_is_woken_from_another_thread() -> None:
    journal = Journal()
    future = asyncio.wrap_future(journal.first(lambda e: e.kind == "clear"))
    thread = threading.Thread(target=journal.record, args=("clear",), kwargs={"flow": ">"})
    thread.start()
    entry: Entry = await future
    thread.join()
    assert entry.kind == "clear"


def test_a_match_may_look_into_the_journal() -> None:
    journal = Journal()
    third = journal.first(lambda entry: [e.kind for e in journal].count(entry.kind) == 3)
    for _ in range(3):
        assert not third.done()
        journal.record("speak", flow=">")
    assert third.result(timeout=0).index == 2


def test_a_match_that_raises_fails_its_own_wait_and_nothing_else() -> None:
    journal = Journal()
    broken = journal.first(lambda entry: bool(entry.data["text"]))
    sound = journal.first(lambda entry: entry.kind == "open")
    assert journal.record("open", flow=">").index == 0
    assert isinstance(broken.exception(timeout=0), KeyError)
    assert sound.result(timeout=0).kind == "open"
    assert journal.record("speak", flow=">", data={"text": "hi"}).index == 1


def test_a_wait_given_up_is_not_woken() -> None:
    journal = Journal()
    future = journal.first(lambda e: True)
    journal.forget(future)
    journal.record("speak", flow=">")
    assert future.cancelled()


def test_a_cleared_journal_starts_at_zero_again() -> None:
    journal = Journal()
    journal.record("speak", flow=">")
    journal.clear()
    assert journal.entries == ()
    assert journal.record("clear", flow=">").at == pytest.approx(0.0)


def test_audio_bytes_stay_out_of_the_repr() -> None:
    entry = Journal().record("audio", flow="<", audio=b"\x01\x02")
    assert "\\x01" not in repr(entry)


def test_waits_are_remembered_met_or_not() -> None:
    journal = Journal()
    with journal.waiting("a speak"):
        journal.record("speak", flow=">")
    with pytest.raises(LookupError), journal.waiting("a clear"):
        raise LookupError
    assert [(wait.expected, wait.met) for wait in journal.waits] == [
        ("a speak", True),
        ("a clear", False),
    ]
    assert all(wait.start <= wait.end for wait in journal.waits)
    journal.clear()
    assert journal.waits == ()


async def test_a_wait_that_is_cancelled_is_not_remembered() -> None:
    journal = Journal()

    async def wait() -> None:
        with journal.waiting("for ever"):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert journal.waits == ()

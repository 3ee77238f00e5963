"""Faults in scripts: what goes wrong is what the turn says, when it says so."""

from __future__ import annotations

from sayna_testing.clock import virtual_time
from sayna_testing.fake import FakeSaynaServer
from tests.testing.reacting import GREETING, call, play


def kinds(fault: str, *, room: bool = False) -> list[str]:
    """What an agent that wants to transfer and greet lives through after the fault."""
    turns = f"""
        [[turn]]
        fault = {fault}
        [[turn]]
        caller = "hello"
        [[turn]]
        wait = "3s"
    """

    async def answers(client) -> None:  # type: ignore[no-untyped-def]
        await client.sip_transfer("+15550100")
        await client.speak(GREETING)

    with virtual_time(), FakeSaynaServer() as server:
        outcome = (call if room else play)(server, turns, {"hello": answers})
        assert outcome.turns[0].said[0].text.startswith("(fault: ")
        return [e.kind for e in outcome.entries if e.flow == "<" and e.kind != "audio"]


def test_the_line_drops_at_once() -> None:
    assert kinds('{ name = "line_drops" }') == ["ready"]


def test_the_server_closes_with_a_code() -> None:
    assert kinds('{ name = "server_closes", with = { code = 1011 } }') == ["ready", "close"]


def test_recognition_fails_with_its_text() -> None:
    seen = kinds('{ name = "recognition_fails", with = { text = "Provider error: gone" } }')
    assert seen[:2] == ["ready", "error"]


def test_a_transfer_is_refused() -> None:
    assert "sip_transfer_error" in kinds('{ name = "transfer_refused" }', room=True)


def test_a_planned_fault_hits_what_it_names() -> None:
    seen = kinds('{ name = "frame_duplicated", with = { frame = "tts_playback_complete" } }')
    assert seen.count("tts_playback_complete") == 2
    assert kinds('{ name = "completion_missing" }').count("tts_playback_complete") == 0


def test_errors_that_a_script_provokes_are_allowed() -> None:
    turns = """
        [[turn]]
        fault = { name = "transfer_refused" }
        caller = "hello"
        [[turn]]
        wait = "1s"
    """
    with virtual_time(), FakeSaynaServer() as server:
        table = {"hello": lambda client: client.sip_transfer("+15550100")}
        outcome = play(server, turns, table)
        errors = [entry for entry in outcome.entries if entry.error]
        assert errors
        assert all(server.allow_errors.covers(entry) for entry in errors)

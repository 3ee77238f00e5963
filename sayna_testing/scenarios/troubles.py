"""What goes wrong: providers, lines, callers who are gone, and others in the room."""

from __future__ import annotations

from sayna_testing.scenarios.model import ANSWERS, GREETED, Lines, Recipe
from sayna_testing.scripts import After, Agent, Fault, Message, Participants, Says, Turn

_QUIET = Turn(wait=3.0, never=("speak",))
"""Nothing is said to a caller who is gone."""
_IN_SPEECH = After(event="speech_started", delay=0.4)


def _recognition_lost(_: Lines) -> tuple[Turn, ...]:
    text = "Network error: WebSocket error: WebSocket protocol error: Connection reset"
    fault = Fault(name="recognition_fails", options={"text": text})
    return (GREETED, Turn(fault=fault, agent=ANSWERS))


def _synthesis_fails(lines: Lines) -> tuple[Turn, ...]:
    text = "Provider error: API error (503 Service Unavailable): overloaded"
    fault = Fault(name="speech_fails", options={"text": text})
    return (GREETED, Turn(fault=fault, caller=Says(text=lines.request), agent=ANSWERS))


def _completion_lost(lines: Lines) -> tuple[Turn, ...]:
    return (
        GREETED,
        Turn(
            fault=Fault(name="completion_missing"),
            caller=Says(text=lines.request),
            agent=ANSWERS,
        ),
        Turn(caller=Says(text=lines.detail), agent=ANSWERS),
    )


def _results_delayed(lines: Lines) -> tuple[Turn, ...]:
    fault = Fault(name="frame_delayed", options={"frame": "stt_result", "seconds": 2.0})
    return (
        GREETED,
        Turn(fault=fault, caller=Says(text=lines.request), never=("speak",)),
        Turn(agent=ANSWERS, never=("repetition",)),
    )


def _hang_up_in_speech(_: Lines) -> tuple[Turn, ...]:
    return (GREETED, Turn(after=_IN_SPEECH), Turn(hang_up=True, never=("speak",)), _QUIET)


def _hang_up_in_thought(lines: Lines) -> tuple[Turn, ...]:
    """An answer may cross the hang-up on its way."""
    gone = Turn(caller=Says(text=lines.request), hang_up=True)
    return (GREETED, gone, Turn(wait=0.2), _QUIET)


def _line_drops(lines: Lines) -> tuple[Turn, ...]:
    return _lost(lines, Fault(name="line_drops"))


def _server_closes(lines: Lines) -> tuple[Turn, ...]:
    return _lost(lines, Fault(name="server_closes", options={"code": 1011}))


def _lost(lines: Lines, fault: Fault) -> tuple[Turn, ...]:
    return (
        GREETED,
        Turn(after=_IN_SPEECH, fault=fault, reconnect=True, agent=ANSWERS),
        Turn(caller=Says(text=lines.request), agent=ANSWERS),
    )


def _transfer_refused(lines: Lines) -> tuple[Turn, ...]:
    return (
        GREETED,
        Turn(fault=Fault(name="transfer_refused"), caller=Says(text=lines.human)),
        Turn(after=After(event="transfer"), agent=Agent(matches=lines.sorry)),
    )


def _message(lines: Lines) -> tuple[Turn, ...]:
    return (
        GREETED,
        Turn(message=Message(text="hello from the web page", topic="chat")),
        Turn(caller=Says(text=lines.request), agent=ANSWERS),
    )


def _somebody_joins(lines: Lines) -> tuple[Turn, ...]:
    return (
        GREETED,
        Turn(participant=Participants(joins="guest")),
        Turn(wait=1.0, caller=Says(text=lines.request), agent=ANSWERS),
    )


def _somebody_leaves(_: Lines) -> tuple[Turn, ...]:
    """Whoever leaves first ends the session (websocket.md 9.4)."""
    return (
        GREETED,
        Turn(participant=Participants(joins="guest")),
        Turn(wait=3.0),
        Turn(
            participant=Participants(leaves="guest"),
            agent=Agent(hangs_up=True),
            never=("speak",),
        ),
        _QUIET,
    )


RECIPES = (
    Recipe(
        "recognition-lost",
        _recognition_lost,
        caller="is there when the link to the recogniser breaks",
        shows="an agent that hears nothing any more says so",
        catches="says nothing when it hears nothing any more",
    ),
    Recipe(
        "synthesis-fails",
        _synthesis_fails,
        caller="speaks; the synthesis of the answer fails",
        shows="what was not spoken is said again",
        catches="never says it again",
    ),
    Recipe(
        "completion-lost",
        _completion_lost,
        caller="speaks; the end of playback is never told",
        shows="the agent listens although playback never completes",
        catches="waits for playback to complete",
    ),
    Recipe(
        "results-delayed",
        _results_delayed,
        caller="speaks; all results come 2 s late, in a burst",
        shows="results in a burst, 2 s late, are answered once",
        catches="is slow with interims",
    ),
    Recipe(
        "hang-up-in-speech",
        _hang_up_in_speech,
        caller="hangs up while the agent speaks",
        shows="the agent ends with its caller",
        catches="talks on after the hang-up",
    ),
    Recipe(
        "hang-up-in-thought",
        _hang_up_in_thought,
        caller="hangs up right after a question",
        shows="an answer that comes too late is not given",
        catches="speaks into a closed line",
    ),
    Recipe(
        "line-drops",
        _line_drops,
        caller="is cut off while the agent speaks",
        shows="a lost line is taken up again",
        catches="gives up when the line drops",
        door="session",
    ),
    Recipe(
        "server-closes",
        _server_closes,
        caller="is there when the server closes the session with 1011",
        shows="a session closed with 1011 is taken up again",
        catches="gives up when the line drops",
        door="session",
    ),
    Recipe(
        "transfer-refused",
        _transfer_refused,
        caller="asks for a person; the transfer is refused",
        shows="a caller nobody takes is told so",
        catches="says nothing when a transfer fails",
        door="call",
    ),
    Recipe(
        "message-from-the-room",
        _message,
        caller="speaks after a data message from a web page",
        shows="a data message does no harm",
        catches="breaks on a message",
        door="call",
    ),
    Recipe(
        "second-participant-joins",
        _somebody_joins,
        caller="speaks after somebody else has joined",
        shows="the conversation goes on",
        catches="leaves when somebody joins",
        door="call",
    ),
    Recipe(
        "second-participant-leaves",
        _somebody_leaves,
        caller="is left with the room when somebody who joined leaves it",
        shows="the agent ends with its room",
        catches="talks on after the hang-up",
        door="call",
    ),
)

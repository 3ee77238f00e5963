"""Scripted conversations: what a caller says, what the agent must do, as a file anyone can read."""

from sayna_testing.scripts.loader import ScriptError, load, loads
from sayna_testing.scripts.model import (
    After,
    Agent,
    Fault,
    Message,
    MessageMatch,
    Participants,
    Person,
    Says,
    Script,
    TextMatch,
    Turn,
)
from sayna_testing.scripts.outcome import Outcome, Said, TurnResult
from sayna_testing.scripts.player import play
from sayna_testing.scripts.writer import dumps, schema

__all__ = [
    "After",
    "Agent",
    "Fault",
    "Message",
    "MessageMatch",
    "Outcome",
    "Participants",
    "Person",
    "Said",
    "Says",
    "Script",
    "ScriptError",
    "TextMatch",
    "Turn",
    "TurnResult",
    "dumps",
    "load",
    "loads",
    "play",
    "schema",
]

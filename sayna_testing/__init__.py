"""An in-process fake Sayna server and what tests of voice agents need around it.

Names are loaded when they are used: `import sayna_testing` alone loads nothing that takes time.
Speech is in `sayna_testing.speech`, reading and writing of scripts in `sayna_testing.scripts`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sayna_testing._pytest.leaks import SaynaLeakWarning
    from sayna_testing._pytest.run import SaynaFaultWarning
    from sayna_testing.calls.caller import Caller, Spoken, SpokenTurn
    from sayna_testing.calls.ear import Utterance
    from sayna_testing.calls.people import PlainCaller, RoomCaller, SampleRateWarning
    from sayna_testing.clock import (
        Clock,
        VirtualDeadlock,
        VirtualRunaway,
        VirtualTimeError,
        real_time,
        virtual_time,
    )
    from sayna_testing.delivery import DeliveryError, deliver
    from sayna_testing.expectations import ExpectationError
    from sayna_testing.fake import FakeSaynaServer
    from sayna_testing.faker_provider import SaynaProvider
    from sayna_testing.report import Call, Expectation, render
    from sayna_testing.scripts import (
        After,
        Agent,
        Fault,
        Message,
        MessageMatch,
        Outcome,
        Participants,
        Person,
        Said,
        Says,
        Script,
        ScriptError,
        TextMatch,
        Turn,
        TurnResult,
    )
    from sayna_testing.server.faults import Faults
    from sayna_testing.server.journal import Entry, Journal
    from sayna_testing.server.rooms import Participant, Room
    from sayna_testing.server.session import Delivered, Session
    from sayna_testing.server.settings import LiveKitSettings, ServerSettings, SipHook, SipSettings
    from sayna_testing.webhooks.explanation import Explanation, explain
    from sayna_testing.webhooks.forgeries import Forgery, forgeries
    from sayna_testing.webhooks.request import SignedWebhook
    from sayna_testing.webhooks.signer import WebhookSigner
    from sayna_testing.webhooks.signing import WEBHOOK_SECRET, sign

__all__ = [
    "WEBHOOK_SECRET",
    "After",
    "Agent",
    "Call",
    "Caller",
    "Clock",
    "Delivered",
    "DeliveryError",
    "Entry",
    "Expectation",
    "ExpectationError",
    "Explanation",
    "FakeSaynaServer",
    "Fault",
    "Faults",
    "Forgery",
    "Journal",
    "LiveKitSettings",
    "Message",
    "MessageMatch",
    "Outcome",
    "Participant",
    "Participants",
    "Person",
    "PlainCaller",
    "Room",
    "RoomCaller",
    "Said",
    "SampleRateWarning",
    "SaynaFaultWarning",
    "SaynaLeakWarning",
    "SaynaProvider",
    "Says",
    "Script",
    "ScriptError",
    "ServerSettings",
    "Session",
    "SignedWebhook",
    "SipHook",
    "SipSettings",
    "Spoken",
    "SpokenTurn",
    "TextMatch",
    "Turn",
    "TurnResult",
    "Utterance",
    "VirtualDeadlock",
    "VirtualRunaway",
    "VirtualTimeError",
    "WebhookSigner",
    "deliver",
    "explain",
    "forgeries",
    "real_time",
    "render",
    "sign",
    "virtual_time",
]

_NAMES = {
    "_pytest.leaks": ("SaynaLeakWarning",),
    "_pytest.run": ("SaynaFaultWarning",),
    "calls.caller": (
        "Caller",
        "Spoken",
        "SpokenTurn",
    ),
    "calls.ear": ("Utterance",),
    "calls.people": (
        "PlainCaller",
        "RoomCaller",
        "SampleRateWarning",
    ),
    "clock": (
        "Clock",
        "VirtualDeadlock",
        "VirtualRunaway",
        "VirtualTimeError",
        "real_time",
        "virtual_time",
    ),
    "delivery": (
        "DeliveryError",
        "deliver",
    ),
    "expectations": ("ExpectationError",),
    "faker_provider": ("SaynaProvider",),
    "report": (
        "Call",
        "Expectation",
        "render",
    ),
    "scripts": (
        "After",
        "Agent",
        "Fault",
        "Faults",
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
    ),
    "fake": ("FakeSaynaServer",),
    "server.faults": ("Faults",),
    "server.journal": (
        "Entry",
        "Journal",
    ),
    "server.rooms": (
        "Participant",
        "Room",
    ),
    "server.session": (
        "Delivered",
        "Session",
    ),
    "server.settings": (
        "LiveKitSettings",
        "ServerSettings",
        "SipHook",
        "SipSettings",
    ),
    "webhooks.explanation": (
        "Explanation",
        "explain",
    ),
    "webhooks.forgeries": (
        "Forgery",
        "forgeries",
    ),
    "webhooks.request": ("SignedWebhook",),
    "webhooks.signer": ("WebhookSigner",),
    "webhooks.signing": (
        "WEBHOOK_SECRET",
        "sign",
    ),
}
_HOMES = {name: f"{__name__}.{home}" for home, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]

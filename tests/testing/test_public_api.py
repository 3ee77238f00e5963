"""The names that `sayna_testing` promises, and what it costs to have them."""

import subprocess
import sys
from importlib import import_module

import pytest

import sayna_testing

NAMES = """
After Agent Call Caller Clock Delivered DeliveryError Entry Expectation ExpectationError
Explanation FakeSaynaServer Fault Faults Forgery Journal LiveKitSettings Message MessageMatch
Outcome Participant Participants Person PlainCaller RoomCaller Room Said SampleRateWarning
SaynaFaultWarning SaynaLeakWarning SaynaProvider Says Script ScriptError ServerSettings Session
SignedWebhook SipHook SipSettings Spoken SpokenTurn TextMatch Turn TurnResult Utterance
VirtualDeadlock VirtualRunaway VirtualTimeError WEBHOOK_SECRET WebhookSigner deliver explain
forgeries real_time render sign virtual_time
"""
PROMISED = NAMES.split()


def test_every_promised_name_is_there_and_no_other() -> None:
    assert set(sayna_testing.__all__) == set(PROMISED)
    assert len(sayna_testing.__all__) == len(PROMISED)
    assert set(dir(sayna_testing)) >= set(sayna_testing.__all__)
    for name in sayna_testing.__all__:
        assert getattr(sayna_testing, name) is not None


@pytest.mark.parametrize("home", ["calls.people", "clock", "delivery", "scripts", "webhooks"])
def test_a_name_is_the_same_object_at_home(home: str) -> None:
    module = import_module(f"sayna_testing.{home}")
    shared = set(sayna_testing.__all__) & set(dir(module))
    assert shared
    for name in shared:
        assert getattr(sayna_testing, name) is getattr(module, name)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        sayna_testing.Nonsense  # noqa: B018


def test_the_bare_import_loads_nothing_heavy() -> None:
    heavy = ("aiohttp", "pydantic", "numpy", "faker", "jinja2", "asyncio", "sayna_client")
    code = f"import sys, sayna_testing; print([m for m in {heavy!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True
    )
    assert run.stdout == "[]\n"

"""The fake answers as the protocol documents say: every golden case, played over TCP.

The cases are in fixtures/rest and fixtures/websocket; fixtures/README.md says how they are written.
All chosen ones run at once, each on a server of its own, so what waits does not add up. What came
too late is played again alone, since a busy machine is late as well; so is a case that waits for
timers of the server, for there lateness also shows as another order.
"""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import cast

import pytest

from tests.server.golden.cases import Case, Step, load
from tests.server.golden.player import play
from tests.server.golden.script import LateError

AT_ONCE = 24
TRIES_ALONE = 3
RUNTIME_HOOK = "a hook added at run time signs with the global secret"
CASES = load()


async def play_all(cases: list[Case]) -> dict[str, Exception | None]:
    """What came of each case: nothing, or how it failed."""
    room = asyncio.Semaphore(AT_ONCE)

    async def at_once(case: Case) -> Exception | None:
        async with room:
            return await outcome(case)

    errors = await asyncio.gather(*(at_once(case) for case in cases))
    outcomes = {case.id: error for case, error in zip(cases, errors, strict=True)}
    for case in cases:
        for _ in range(TRIES_ALONE):
            if isinstance(outcomes[case.id], LateError) or (outcomes[case.id] and waits(case)):
                outcomes[case.id] = await outcome(case)
    return outcomes


def waits(case: Case) -> bool:
    """Whether it lets time pass, and so depends on the machine keeping up."""
    scripts = (text for step in case.steps for text in step.texts.values())
    return any(line.startswith(("wait ", "+")) for text in scripts for line in text.splitlines())


async def outcome(case: Case) -> Exception | None:
    try:
        await play(case)
    except Exception as error:
        return error
    return None


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Mapping[str, Exception | None]:
    """The outcome of every case that is to be tested in this run."""
    chosen: list[Case] = [
        cast("Case", item.callspec.params["golden"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_golden
    ]
    return asyncio.run(play_all(chosen))


@pytest.mark.parametrize("golden", CASES, ids=lambda case: case.id)
def test_golden(golden: Case, played: Mapping[str, Exception | None]) -> None:
    error = played[golden.id]
    if error is not None:
        error.add_note(f"{golden.id} ({golden.section})")
        raise error


def altered(case_id: str, key: str, old: str, new: str) -> Case:
    case = next(case for case in CASES if case.id == case_id)
    last = case.steps[-1]
    assert old in last[key]
    step = Step({**last.texts, key: last[key].replace(old, new)})
    return dataclasses.replace(case, steps=(*case.steps[:-1], step))


@pytest.mark.parametrize(
    ("case_id", "key", "old", "new"),
    [
        ("rest/routes::health", "receive", "200", "201"),
        ("rest/routes::health", "receive", '"OK"', '"ok"'),
        ("rest/routes::health", "receive", "\n\n", "\nx-more: 1\n\n"),
        ("rest/routes::health", "receive", "content-type: application/json", "x: y"),
        ("rest/routes::HEAD /", "receive", "15", "16"),
        ("rest/token::claims", "claims", "21600", "21599"),
        ("rest/token::claims", "claims", '"roomAdmin":false', '"roomAdmin":true'),
        ("rest/sip_hooks::an empty post makes the file", "hooks_file", "[]", "[ ]"),
        (f"rest/webhook_out::{RUNTIME_HOOK}", "hooked", '"sip-"', '"sip_"'),
        (f"rest/webhook_out::{RUNTIME_HOOK}", "hooked", "-0001", "-0002"),
        (f"rest/webhook_out::{RUNTIME_HOOK}", "hooked", "accept: */*", "accept: text/html"),
        ("rest/speak::defaults", "receive", "audio raw", "audio wav"),
        ("websocket/config::in a room", "script", '"Sayna AI"', '"Sayna"'),
        ("websocket/speech::pcm is linear16", "script", "audio 320", "audio 640"),
        ("websocket/speech::again: one frame", "script", "< clip a", "< audio 320"),
        ("websocket/dispatch::speak before any config", "script", "\n<", "\nsilence\n<"),
        ("websocket/transcripts::finals are not joined", "script", 'final":true,', 'final":false,'),
        ("websocket/transcripts::forced end of speech after 1.8 s", "script", "+1.8", "+0.1"),
        ("websocket/transcripts::forced end of speech after 1.8 s", "script", "+1.8", "+3.0"),
        ("websocket/messages::topic", "script", '"topic":"chat","text"', '"text"'),
    ],
)
async def test_an_answer_that_differs_fails(case_id: str, key: str, old: str, new: str) -> None:
    with pytest.raises((AssertionError, TimeoutError)):
        await play(altered(case_id, key, old, new))

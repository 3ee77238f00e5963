"""Every forgery against the receiver, and every change that nobody thought of."""

import dataclasses
from typing import Any

import pytest
from faker.generator import Generator
from hypothesis import given, settings
from hypothesis import strategies as st

from sayna_client import SaynaValidationError, SaynaWebhookReplayError, SeenEvents, WebhookReceiver
from sayna_testing.webhooks import Forgery, SignedWebhook, WebhookSigner, forgeries

SECRET = "the-secret-of-these-tests"
NOW = 1767225600
FAKER = Generator()
FAKER.seed_instance(20260101)
SIGNER = WebhookSigner(SECRET, faker=FAKER)


def accepts(receiver: WebhookReceiver, *hooks: SignedWebhook) -> bool:
    """Whether the last of the requests is accepted."""
    verdict = False
    for hook in hooks:
        try:
            verdict = receiver.receive(hook.header_pairs, hook.body) is not None
        except SaynaValidationError:
            verdict = False
    return verdict


@pytest.mark.parametrize("forgery", forgeries(), ids=str)
def test_receiver_gives_every_forgery_its_verdict(forgery: Forgery) -> None:
    hook = forgery.apply(SIGNER.sip_call())

    assert accepts(WebhookReceiver(SECRET), hook) is forgery.accepted


@pytest.mark.parametrize("forgery", forgeries(), ids=str)
def test_verdicts_hold_for_headers_in_a_dict(forgery: Forgery) -> None:
    hook = forgery.apply(SIGNER.sip_call())
    whole = dataclasses.replace(hook, header_pairs=tuple(hook.headers.items()))

    assert accepts(WebhookReceiver(SECRET), whole) is forgery.accepted


@pytest.mark.parametrize("forgery", forgeries(), ids=str)
def test_verdicts_hold_at_any_named_moment(forgery: Forgery) -> None:
    receiver = WebhookReceiver(SECRET, clock=lambda: NOW)
    hook = forgery.apply(SIGNER.at(NOW).sip_call())

    assert accepts(receiver, hook) is forgery.accepted


@pytest.mark.parametrize("forgery", forgeries(tolerance=10), ids=str)
def test_verdicts_follow_the_tolerance(forgery: Forgery) -> None:
    receiver = WebhookReceiver(SECRET, clock=lambda: NOW, tolerance=10)

    assert accepts(receiver, forgery.apply(SIGNER.at(NOW).sip_call())) is forgery.accepted


@pytest.mark.parametrize("forgery", forgeries(duplicates=True), ids=str)
def test_replays_are_refused_by_a_receiver_that_remembers(forgery: Forgery) -> None:
    receiver = WebhookReceiver(SECRET, seen=SeenEvents())

    assert accepts(receiver, *forgery.requests(SIGNER.sip_call())) is forgery.accepted


def test_replay_is_refused_as_a_replay() -> None:
    replay = next(each for each in forgeries(duplicates=True) if each.name == "replayed-id")
    receiver = WebhookReceiver(SECRET, seen=SeenEvents())
    first, second = replay.requests(SIGNER.sip_call())

    assert accepts(receiver, first)
    with pytest.raises(SaynaWebhookReplayError):
        receiver.receive(second.headers, second.body)


def test_forgeries_have_names_verdicts_and_reasons() -> None:
    every = forgeries()
    names = [str(forgery) for forgery in every]

    assert len(set(names)) == len(names) >= 24
    assert sum(forgery.accepted for forgery in every) >= 8
    assert all(forgery.why.endswith((".", "?")) for forgery in every)
    assert {"signed-300s-ago", "signed-300s-ahead", "signed-301s-ago", "signed-301s-ahead"} <= {
        *names
    }
    assert len([each for each in every if each.requests(SIGNER.sip_call())]) == len(every)


def test_forgeries_leave_the_hook_as_it_was() -> None:
    hook = SIGNER.sip_call()
    before = dataclasses.replace(hook)

    for forgery in forgeries():
        forgery.apply(hook)

    assert hook == before


@pytest.mark.parametrize(
    "name", ["byte-flipped", "re-serialised", "key-order-changed", "bom-added"]
)
def test_changed_body_really_differs(name: str) -> None:
    hook = SIGNER.sip_call()
    forgery = next(each for each in forgeries() if each.name == name)

    changed = forgery.apply(hook)

    assert changed.body != hook.body
    assert changed.headers == hook.headers


# Any change at all to body, signature, timestamp or event id of a signed request is refused.

HOOK = SIGNER.at(NOW).sip_call()
RECEIVER = WebhookReceiver(SECRET, clock=lambda: NOW)
SIGNED_HEADERS = ("x-sayna-signature", "x-sayna-timestamp", "x-sayna-event-id")


@st.composite
def edits(draw: st.DrawFn, original: bytes) -> bytes:
    """The bytes with one piece replaced, which may be empty on either side, by something else."""
    start = draw(st.integers(0, len(original)))
    end = draw(st.integers(start, min(len(original), start + 8)))
    piece = draw(st.binary(max_size=8))
    return original[:start] + piece + original[end:]


@settings(max_examples=400, deadline=None)
@given(edits(HOOK.body))
def test_no_change_of_the_body_is_accepted(body: bytes) -> None:
    assert accepts(RECEIVER, dataclasses.replace(HOOK, body=body)) is (body == HOOK.body)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SIGNED_HEADERS), st.data())
def test_no_change_of_a_signed_header_is_accepted(name: str, data: Any) -> None:
    old = HOOK.headers[name]
    new = data.draw(edits(old.encode())).decode("latin-1")
    pairs = tuple((key, new if key == name else value) for key, value in HOOK.header_pairs)
    # hex digits have no case; all else counts
    same = new == old or (name == SIGNED_HEADERS[0] and new[:3] + new[3:].lower() == old)

    assert accepts(RECEIVER, dataclasses.replace(HOOK, header_pairs=pairs)) is same


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_receiver_raises_nothing_but_its_own_errors(
    body: bytes, signature: str, stamp: str, event_id: str
) -> None:
    headers = dict(zip(SIGNED_HEADERS, (signature, stamp, event_id), strict=True))

    with pytest.raises(SaynaValidationError):
        RECEIVER.receive(headers, body)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=16, max_size=80).filter(lambda text: len(text.strip()) >= 16))
def test_every_other_secret_is_refused(secret: str) -> None:
    other = WebhookReceiver(secret, clock=lambda: NOW)

    assert accepts(other, HOOK) is (secret.strip() == SECRET)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=16, max_size=200).filter(lambda text: len(text.strip()) >= 16), st.text())
def test_signer_and_receiver_agree_on_every_secret_and_text(secret: str, name: str) -> None:
    hook = SIGNER.with_secret(secret).at(NOW).sip_call(participant_name=name)
    receiver = WebhookReceiver(secret, clock=lambda: NOW)

    assert receiver.receive(hook.headers, hook.body).participant.name == name


def test_a_forgery_is_shown_by_what_it_is() -> None:
    first = forgeries()[0]
    assert (
        repr(first) == f"Forgery(name={first.name!r}, accepted={first.accepted}, why={first.why!r})"
    )

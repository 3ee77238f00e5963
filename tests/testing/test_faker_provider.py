"""Made-up data: only what nobody owns, the same for the same seed."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from faker import Faker

from sayna_testing.faker_provider import SaynaProvider

# What the regulators keep for fiction: Ofcom (telephone numbers for drama use), NANPA (555-01XX).
FICTION = re.compile(
    r"\+447700900\d{3}|\+442079460\d{3}|\+44(113|121|131|161)4960\d{3}|\+441632960\d{3}"
    r"|\+1[2-9]\d{2}55501\d{2}"
)
SID = "[A-Za-z0-9]{12}"


def provider(seed: int = 1) -> SaynaProvider:
    faker = Faker()
    faker.seed_instance(seed)
    return SaynaProvider(faker.factories[0])


def test_faker_takes_the_provider() -> None:
    faker = Faker()
    faker.add_provider(SaynaProvider)
    faker.seed_instance(1)

    assert FICTION.fullmatch(faker.sayna_number())
    assert faker.sayna_webhook_payload()["sip_host"].endswith(".example")


@pytest.mark.parametrize("country", ["GB", "US", None])
def test_numbers_are_only_those_of_fiction(country: Any) -> None:
    made = provider()

    for _ in range(500):
        number = made.sayna_number(country)
        assert FICTION.fullmatch(number)
        assert number.startswith({"GB": "+44", "US": "+1", None: "+"}[country])


@pytest.mark.parametrize("seed", range(50))
def test_no_number_of_a_payload_belongs_to_anybody(seed: int) -> None:
    payload = provider(seed).sayna_webhook_payload()

    for number in re.findall(r"\+\d+", repr(payload)):
        assert FICTION.fullmatch(number)


SHAPES: dict[str, str] = {
    "sayna_name": "[A-Z][a-z]+",
    "sayna_identity": r"sip_\+\d+",
    "sayna_participant_sid": f"PA_{SID}",
    "sayna_room_sid": f"RM_{SID}",
    "sayna_track_sid": f"TR_{SID}",
    "sayna_event_id": f"EV_{SID}",
    "sayna_room_name": r"sip-_\+\d+_[A-Za-z0-9]{4}",
    "sayna_sip_host": r"[a-z-]+\.example",
    "sayna_ip_address": r"203\.0\.113\.\d{1,3}",
    "sayna_stream_id": "[0-9a-f-]{36}",
    "sayna_transcript": r"[A-Z].+, .+\.",
}


@pytest.mark.parametrize("method", SHAPES)
def test_values_have_the_shape_of_real_ones(method: str) -> None:
    made: Callable[[], str] = getattr(provider(), method)

    for _ in range(50):
        assert re.fullmatch(SHAPES[method], made())


@pytest.mark.parametrize(
    "method", [*SHAPES, "sayna_number", "sayna_sip_headers", "sayna_voice", "sayna_webhook_payload"]
)
def test_the_seed_decides(method: str) -> None:
    def draw(seed: int) -> list[Any]:
        made = getattr(provider(seed), method)
        return [made() for _ in range(20)]

    assert draw(11) == draw(11)
    assert draw(11) != draw(12)


def test_global_seed_of_faker_decides_too() -> None:
    drawn = []
    for _ in range(2):
        Faker.seed(99)
        drawn.append(SaynaProvider(Faker().factories[0]).sayna_webhook_payload())

    assert drawn[0] == drawn[1]


def test_addresses_and_streams_are_well_formed() -> None:
    made = provider()

    assert ipaddress.ip_address(made.sayna_ip_address()) in ipaddress.ip_network("203.0.113.0/24")
    assert uuid.UUID(made.sayna_stream_id()).version == 4


def test_voice_is_as_the_server_lists_it() -> None:
    voice = provider().sayna_voice()

    assert list(voice) == ["id", "sample", "name", "accent", "gender", "language"]
    assert all(voice.values())


def test_given_parts_are_kept() -> None:
    made = provider()

    assert made.sayna_identity("+1") == "sip_+1"
    assert made.sayna_room_name("+1", "call-").startswith("call-_+1_")
    payload = made.sayna_webhook_payload(
        from_number="+447700900001",
        to_number="+447700900002",
        room_prefix="x-",
        sip_host="a.example",
    )
    assert payload["participant"]["name"] == "Phone +447700900001"
    assert payload["room"]["name"].startswith("x-_+447700900001_")
    assert payload["sip_headers"]["to"] == "<sip:+447700900002@a.example>"
    assert "+447700900001" in payload["sip_headers"]["from"]

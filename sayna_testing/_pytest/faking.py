"""The Faker behind `sayna_faker`."""

from __future__ import annotations

import pytest
from faker import Faker

from sayna_testing.faker_provider import SaynaProvider

__all__ = ["faker_for"]


def faker_for(request: pytest.FixtureRequest, seed: int | None) -> Faker:
    """Faker's own fixture, which is seeded for each test, or a Faker like it where that is off."""
    try:
        faker: Faker = request.getfixturevalue("faker")
    except pytest.FixtureLookupError:
        faker = Faker()
        faker.seed_instance(0)
    if seed is not None:
        faker.seed_instance(seed)
    faker.add_provider(SaynaProvider)
    return faker

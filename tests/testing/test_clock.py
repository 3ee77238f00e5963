"""The virtual clock over plain asyncio."""

import asyncio
import datetime
import time

import pytest
from freezegun import freeze_time

from sayna_testing.clock import VirtualDeadlock, VirtualRunaway, outside, steady, virtual_time


def test_sleeps_cost_nothing() -> None:
    async def sleeper() -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.gather(*(asyncio.sleep(n) for n in range(180)))
        return loop.time() - start

    start = time.monotonic()
    with virtual_time() as clock:
        assert asyncio.run(sleeper()) == 179
    assert clock.elapsed == 179
    assert time.monotonic() - start < 1


def test_equal_deadlines_fire_in_the_order_they_were_set() -> None:
    order: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for n in range(500):
            loop.call_at(1234.5, order.append, n)
        await asyncio.sleep(300)

    with virtual_time():
        asyncio.run(main())
    assert order == list(range(500))


def test_deadlock_names_who_waits() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    with virtual_time(), pytest.raises(VirtualDeadlock, match="wait_for_ever"):
        asyncio.run(wait_for_ever())


def test_runaway_is_capped() -> None:
    async def poll() -> None:
        while True:  # noqa: ASYNC110 - that is the mistake
            await asyncio.sleep(1)

    with virtual_time(max_virtual_time=60) as clock, pytest.raises(VirtualRunaway, match="60 s"):
        asyncio.run(poll())
    assert clock.elapsed == 60


def test_work_outside_is_waited_for_at_real_speed_and_named() -> None:
    async def main() -> None:
        with outside("the printer"):
            await asyncio.sleep(0.05)

    start = time.monotonic()
    with virtual_time() as clock:
        asyncio.run(main())
    assert time.monotonic() - start >= 0.05
    assert [reason for reason, _ in clock.holds] == ["the printer"]


def test_frozen_time_leaves_sleeps_alive() -> None:
    async def nap() -> datetime.datetime:
        await asyncio.sleep(0.01)
        return datetime.datetime.now(tz=datetime.UTC)

    with steady(), freeze_time("2026-01-01"):
        assert asyncio.run(nap()) == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

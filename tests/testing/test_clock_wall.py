"""Wall clocks: frozen ones stop no sleep, and virtual time moves them along."""

import asyncio
import datetime as dt
import sys
import time
from typing import Any

import freezegun
import pytest
import time_machine

from sayna_testing.clock import Clock, steady, virtual_time

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


@pytest.mark.parametrize("real_asyncio", [False, True])
def test_frozen_time_leaves_sleeps_and_earlier_timers_alive(real_asyncio: bool) -> None:
    async def naps() -> None:
        early = asyncio.get_running_loop().create_task(asyncio.sleep(0.02))
        with freezegun.freeze_time(NEW_YEAR, real_asyncio=real_asyncio):
            assert not early.done()
            await asyncio.sleep(0.01)
            assert not early.done()
            await early
            assert now() == NEW_YEAR

    with steady(), steady():
        asyncio.run(naps())
        with freezegun.freeze_time(NEW_YEAR, real_asyncio=real_asyncio):
            asyncio.run(asyncio.sleep(0.01))


def test_loop_time_freezes_again_after_the_last_user() -> None:
    with steady(), freezegun.freeze_time(NEW_YEAR, real_asyncio=True):
        pass
    with freezegun.freeze_time(NEW_YEAR):
        loop = asyncio.new_event_loop()
        assert loop.time() == NEW_YEAR.timestamp()
        loop.close()


FREEZERS: list[Any] = [
    pytest.param(lambda: freezegun.freeze_time(NEW_YEAR), id="freezegun"),
    pytest.param(lambda: freezegun.freeze_time(NEW_YEAR, tick=True), id="freezegun ticking"),
    pytest.param(
        lambda: freezegun.freeze_time(NEW_YEAR, auto_tick_seconds=0.001), id="freezegun stepping"
    ),
    pytest.param(lambda: time_machine.travel(NEW_YEAR, tick=False), id="time-machine"),
    pytest.param(lambda: time_machine.travel(NEW_YEAR, tick=True), id="time-machine ticking"),
]


@pytest.mark.parametrize("freeze", FREEZERS)
def test_wall_clocks_move_along(freeze: Any) -> None:
    async def main() -> None:
        for _ in range(300):
            await asyncio.sleep(1 / 3)  # a third of a second is no whole number of microseconds

    with freeze(), virtual_time():
        asyncio.run(main())
        assert 100 <= (now() - NEW_YEAR).total_seconds() < 105


def test_frozen_clocks_of_freezegun_agree_with_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time(), time.time(), time.monotonic(), now().timestamp()
        await asyncio.sleep(0.25)
        end = loop.time(), time.time(), time.monotonic(), now().timestamp()
        assert [b - a for a, b in zip(start, end, strict=True)] == [0.25] * 4

    with freezegun.freeze_time(NEW_YEAR), virtual_time():
        asyncio.run(main())


def test_frozen_clock_moves_at_real_speed_while_something_is_owed() -> None:
    with freezegun.freeze_time(NEW_YEAR), virtual_time() as clock:
        asyncio.run(asyncio.to_thread(sum, range(10)))
        assert (now() - NEW_YEAR).total_seconds() == pytest.approx(clock.elapsed, abs=2e-6)


@pytest.mark.parametrize(
    "when",
    ["2026-01-01T00:00Z", "2026-01-01T01:00+01:00", "2026-01-01", NEW_YEAR, NEW_YEAR.timestamp()],
)
def test_wall_sets_the_clock_until_the_end(when: str | dt.datetime | float) -> None:
    async def main(clock: Clock) -> None:
        clock.wall(when)
        await clock.advance(90)
        assert now() == NEW_YEAR + dt.timedelta(seconds=90)

    with virtual_time() as clock:
        asyncio.run(main(clock))
    assert abs(now() - NEW_YEAR) > dt.timedelta(days=1)


@pytest.mark.parametrize(
    "frozen", [freezegun.freeze_time("2000-01-01"), time_machine.travel(0, tick=False)], ids=type
)
def test_wall_moves_the_clock_that_the_test_froze(frozen: Any) -> None:
    with virtual_time() as clock:
        with frozen:
            clock.wall(NEW_YEAR)
            assert now() == NEW_YEAR
        assert abs(now() - NEW_YEAR) > dt.timedelta(days=1)


def test_wall_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "freezegun", None)
    with virtual_time() as clock, pytest.raises(RuntimeError, match=r"sayna-client\[testing\]"):
        clock.wall(NEW_YEAR)

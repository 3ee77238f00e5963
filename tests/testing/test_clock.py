"""The virtual clock over plain asyncio."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from sayna_testing.clock import (
    Clock,
    VirtualDeadlock,
    VirtualRunaway,
    VirtualTimeError,
    outside,
    virtual_time,
)


def run(main: Callable[[Clock], Awaitable[object]]) -> Clock:
    async def given_clock(clock: Clock) -> None:
        await main(clock)

    with virtual_time() as clock:
        asyncio.run(given_clock(clock))
    return clock


def test_sleeps_cost_nothing() -> None:
    async def main(_clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.gather(*(asyncio.sleep(n) for n in range(180)))
        assert loop.time() - start == 179

    start = time.monotonic()
    clock = run(main)
    assert clock.elapsed == 179
    assert clock.holds == []
    assert repr(clock) == "<Clock elapsed=179.000>"
    assert time.monotonic() - start < 1


def test_equal_deadlines_fire_in_the_order_they_were_set() -> None:
    order: list[int] = []

    async def main(_clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        for n in range(500):
            loop.call_at(1234.5, order.append, n)
        await asyncio.sleep(300)

    run(main)
    assert order == list(range(500))


def test_a_deadline_set_again_after_others_comes_last() -> None:
    order: list[str] = []

    async def main(_clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(1100.0, order.append, "first")
        second = loop.call_at(1100.0, order.append, "second")
        loop.call_at(second.when(), order.append, "third")
        loop.call_at(1100.0, order.append, "fourth")
        await asyncio.sleep(200)

    run(main)
    assert order == ["first", "second", "third", "fourth"]


def test_timeouts_and_periods_do_not_drift() -> None:
    async def main(clock: Clock) -> None:
        for _ in range(9000):
            await asyncio.sleep(0.02)
        assert clock.elapsed == pytest.approx(180, abs=1e-6)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 5)

    assert run(main).elapsed == pytest.approx(185, abs=1e-6)


def test_advance_lets_everything_due_happen() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(30)
        for _ in range(10):
            await asyncio.sleep(0)
        done.append("work")

    async def main(clock: Clock) -> None:
        task = asyncio.create_task(work())
        await clock.advance(29.999)
        assert done == []
        await clock.advance(0.001)
        assert done == ["work"]
        await clock.advance(0)
        await task
        with pytest.raises(ValueError, match=r"seconds >= 0, got -1"):
            await clock.advance(-1)

    assert run(main).elapsed == pytest.approx(30)


def test_an_advance_given_up_as_it_ends_leaves_the_other_one() -> None:
    async def main(clock: Clock) -> None:
        given_up = asyncio.create_task(clock.advance(1))
        other = asyncio.create_task(clock.advance(1))
        await asyncio.sleep(0)
        await asyncio.sleep(1)
        given_up.cancel()
        await other
        assert given_up.cancelled()

    assert run(main).elapsed == pytest.approx(1)


def test_one_clock_goes_on_from_loop_to_loop() -> None:
    with virtual_time() as clock:
        asyncio.run(asyncio.sleep(10))
        assert clock.elapsed == 10
        asyncio.run(asyncio.sleep(5))
    assert clock.elapsed == 15


def test_pending_timers_are_put_back_on_real_time() -> None:
    loop = asyncio.new_event_loop()
    due: list[str] = []
    loop.call_later(0.05, due.append, "early")
    with virtual_time():
        loop.run_until_complete(asyncio.sleep(0.04))
        assert due == []
        loop.call_later(3600, due.append, "late")
    start = time.monotonic()
    assert abs(loop.time() - start) < 1
    loop.run_until_complete(asyncio.sleep(0.02))
    assert due == ["early"]
    assert time.monotonic() - start < 0.5
    loop.close()


async def test_a_running_loop_is_driven_from_here_on() -> None:
    start = time.monotonic()
    with virtual_time() as clock:
        await asyncio.sleep(60)
    assert clock.elapsed == 60
    assert time.monotonic() - start < 1
    assert abs(asyncio.get_running_loop().time() - time.monotonic()) < 1


def test_other_threads_keep_real_time() -> None:
    times: list[float] = []

    async def other() -> None:
        start = time.monotonic()
        await asyncio.sleep(0.02)
        times.append(time.monotonic() - start)

    with virtual_time() as clock:
        thread = threading.Thread(target=lambda: asyncio.run(other()))
        thread.start()
        thread.join()

        async def ask_from_elsewhere() -> None:
            await clock.advance(1)

        def elsewhere() -> None:
            with pytest.raises(VirtualTimeError, match="thread it came from"):
                asyncio.run(ask_from_elsewhere())

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert times[0] >= 0.02


def test_deadlock_names_who_waits() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    async def main(_clock: Clock) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_for_ever(), name="the agent")

    with pytest.raises(VirtualDeadlock, match=r"the agent:\n.*in wait_for_ever: await asyncio"):
        run(main)


def test_runaway_is_capped() -> None:
    async def poll() -> None:
        while True:  # noqa: ASYNC110 - that is the mistake
            await asyncio.sleep(1)

    with virtual_time(max_virtual_time=60) as clock, pytest.raises(VirtualRunaway, match="60 s"):
        asyncio.run(poll())
    assert clock.elapsed == 60


def test_the_limit_must_be_positive() -> None:
    with (
        pytest.raises(ValueError, match="max_virtual_time > 0 seconds, got 0"),
        virtual_time(max_virtual_time=0),
    ):
        pass


def test_two_threads_have_clocks_of_their_own() -> None:
    with virtual_time() as here:
        there = asyncio.run(asyncio.to_thread(run, lambda clock: clock.advance(600)))
        asyncio.run(here.advance(5))
    assert there.elapsed == 600
    assert 5 <= here.elapsed < 60


def test_one_clock_a_thread() -> None:
    with virtual_time(), pytest.raises(RuntimeError, match="already on"), virtual_time():
        pass


def test_a_loop_that_cannot_be_driven_is_refused_with_the_setting_to_use() -> None:
    class Foreign(asyncio.BaseEventLoop):
        """Like uvloop's: without a selector that can be asked not to wait."""

        def __del__(self) -> None:
            """It was never opened."""

    with virtual_time(), pytest.raises(VirtualTimeError, match=r'sayna\(clock="real"\)'):
        Foreign().run_forever()


def test_work_outside_is_waited_for_at_real_speed_and_named() -> None:
    async def main(_clock: Clock) -> None:
        with outside("the printer"):
            await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)

    start = time.monotonic()
    clock = run(main)
    assert time.monotonic() - start >= 0.1
    ((reason, seconds),) = clock.holds
    assert reason == "the printer"
    assert 0.1 <= seconds < 1


def test_debug_mode_is_driven_too() -> None:
    with virtual_time() as clock:
        asyncio.run(clock.advance(30), debug=True)
    assert clock.elapsed == 30

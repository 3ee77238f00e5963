"""`make soak`: mixed traffic with faults, for as long as asked, on 127.0.0.1 only.

In rounds, each with a server of its own: by turns in memory on virtual time, and over TCP in real
time. Ends with a failure when something is left behind or memory grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from random import Random

from sayna_testing import FakeSaynaServer, virtual_time
from tests.soak.traffic import IN_MEMORY, OVER_TCP, Act

ROUND = 3.0
"""Real seconds that a round lasts."""
WORKERS = 6
GROWTH = 24 * 1024 * 1024
"""Bytes that memory may grow from the first quarter of the run to its end."""


@dataclass(frozen=True)
class Left:
    """What the process holds between two rounds."""

    tasks: int
    threads: int
    files: int
    memory: int


async def traffic(
    server: FakeSaynaServer, acts: tuple[Act, ...], seed: int, done: Counter[str]
) -> int:
    """Keep some workers busy until the round is over; returns the tasks that are left."""
    end = time.monotonic() + ROUND

    async def work(random: Random) -> None:
        while time.monotonic() < end:
            act = random.choice(acts)
            await act(server, random)
            done[act.__name__] += 1

    async with asyncio.TaskGroup() as workers:
        for number in range(WORKERS):
            workers.create_task(work(Random(f"{seed} {number}")))
    await asyncio.sleep(0.1)
    return len(asyncio.all_tasks()) - 1


class Troubles(logging.Handler):
    """Errors that the fake or the loop logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text of an error."""
        self.told.append(self.format(record))


def one_round(seed: int, done: Counter[str]) -> Left:
    """Serve, be busy, stop; what is left afterwards."""
    memory = seed % 2 == 0
    with contextlib.ExitStack() as stack:
        if memory:
            stack.enter_context(virtual_time(max_virtual_time=1e6))
        server = stack.enter_context(FakeSaynaServer(transport="memory" if memory else "tcp"))
        tasks = asyncio.run(traffic(server, IN_MEMORY if memory else OVER_TCP, seed, done))
    del server
    gc.collect()
    return Left(tasks, threading.active_count(), len(os.listdir("/proc/self/fd")), resident())


def resident() -> int:
    """Bytes of memory in use."""
    with open("/proc/self/statm", encoding="ascii") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run the rounds, print the figures."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds: float = parser.parse_args().seconds
    troubles = Troubles()
    for name in ("sayna_testing", "asyncio"):
        logging.getLogger(name).addHandler(troubles)
    logging.getLogger("sayna_client").setLevel(logging.CRITICAL)
    done: Counter[str] = Counter()
    begin, lefts = time.monotonic(), list[Left]()
    while time.monotonic() - begin < seconds:
        left = one_round(len(lefts), done)
        lefts.append(left)
        if len(lefts) % 10 == 1:
            tell(f"{time.monotonic() - begin:6.0f} s  {sum(done.values()):8,} interactions  {left}")
    tell("  ".join(f"{name} {count:,}" for name, count in sorted(done.items())))
    warm, last = lefts[len(lefts) // 4], lefts[-1]
    growth = last.memory - warm.memory
    tell(f"memory {warm.memory / 1e6:.1f} -> {last.memory / 1e6:.1f} MB, {last}")
    faults = [
        f"round {number}: {left.tasks} tasks left"
        for number, left in enumerate(lefts)
        if left.tasks
    ]
    faults += troubles.told
    if last.threads > warm.threads or last.files > warm.files:
        faults.append(f"threads or files grow: {warm} -> {last}")
    if growth > GROWTH:
        faults.append(f"memory grew by {growth / 1e6:.1f} MB")
    sys.exit("\n".join(faults) or None)


def tell(line: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


main()

"""Running an agent beside a script: started first, watched meanwhile, ended at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

from sayna_testing.expectations import ExpectationError, only_ours

__tracebackhide__ = only_ours

T = TypeVar("T")
AgentCallable: TypeAlias = Callable[[str], Awaitable[object]]


@asynccontextmanager
async def running(agent: AgentCallable, url: str) -> AsyncGenerator[asyncio.Future[object]]:
    """The agent as a task that is cancelled at the end; errors of its ending are raised."""
    task = asyncio.ensure_future(_call(agent, url))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise broke_down(error)


async def _call(agent: AgentCallable, url: str) -> object:
    return await agent(url)


async def beside(task: asyncio.Future[object], act: Coroutine[Any, Any, T]) -> T:
    """The act's result; an agent that breaks down meanwhile ends the act and is reported."""
    work = asyncio.ensure_future(act)
    try:
        both: set[asyncio.Future[Any]] = {work, task}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and (error := task.exception()) is not None:
            raise broke_down(error)
        return await work
    finally:
        work.cancel()
        await asyncio.wait({work})


def broke_down(error: BaseException) -> ExpectationError:
    """The error of an agent that ended with an error."""
    problem = ExpectationError(f"the agent broke down: {type(error).__name__}: {error}")
    problem.__cause__ = error
    return problem

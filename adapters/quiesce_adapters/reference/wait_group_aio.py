"""Wait group of the reference, for async tasks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

import quiesce
from quiesce_reference.aio import WaitGroup

NANOSECONDS = 1_000_000_000


@quiesce.adapter(
    "wait_group",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    name="reference.WaitGroup",
    scope="anyio",
)
class AioWaitGroup:
    """``WaitGroup``, with a task group for its functions."""

    def __init__(self) -> None:
        self._group = WaitGroup()
        self._tasks: anyio.abc.TaskGroup | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as self._tasks:
            yield

    def add(self, n: int) -> None:
        self._group.add(n)

    def done(self) -> None:
        self._group.done()

    async def wait(self) -> None:
        await self._group.wait()

    async def wait_within(self, timeout: int) -> bool:
        with anyio.move_on_after(timeout / NANOSECONDS):
            await self._group.wait()
            return True
        return False

    def go(self, work: Callable[[], Awaitable[object]]) -> None:
        assert self._tasks is not None  # it lives as long as the subject
        self._group.go(self._tasks, work)

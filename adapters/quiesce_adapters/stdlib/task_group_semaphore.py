"""A limited task group that programs build from asyncio alone: a TaskGroup and a Semaphore."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import quiesce

Work = Callable[[], Coroutine[Any, Any, object]]


@quiesce.adapter(
    "task_group",
    world="asyncio",
    name="asyncio.TaskGroup.semaphore",
    lacks={
        *("wait", "look", "limit_zero", "set_limit", "try"),  # what a plain group has
        *("immediate", "coroutines"),
    },
    # As TaskGroup; a start makes a task at once, which waits for its slot.
    dialect={"errors": "all", "aborting": "refuses", "exits": "alone", "at_limit": "queues"},
)
class Limited:
    """Each task of the group runs its function under the semaphore."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._group = asyncio.TaskGroup()
        self._is_inside = False

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        self._group = asyncio.TaskGroup()
        self._slots = asyncio.Semaphore(1_000 if self._limit is None else self._limit)
        try:
            async with self._group:
                return await work()
        finally:
            self._is_inside = False

    async def go(self, work: Work) -> asyncio.Task[object]:
        coroutine = self._limited(work)
        try:
            return self._group.create_task(coroutine)
        except RuntimeError:
            coroutine.close()  # before Python 3.13 the group leaves it open
            raise

    async def _limited(self, work: Work) -> object:
        async with self._slots:
            return await work()

    async def cancel_child(self, child: asyncio.Task[object]) -> None:
        child.cancel()

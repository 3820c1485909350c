"""The task group of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable

import anyio

import quiesce
from quiesce_reference.aio import TaskGroup

Work = Callable[[], Awaitable[object]]


async def now() -> None:
    """Return at once."""


async def fail() -> None:
    """Fail at once."""
    raise LookupError


@quiesce.adapter(
    "task_group",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.TaskGroup",
    lacks={"wait", "look", "set_limit", "coroutines"},  # starts are given functions
    dialect={"errors": "all", "blocked_start_on_cancel": "dropped", "aborting": "refuses"},
)
class Structured:
    """``TaskGroup``, a new one for each block."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._group = TaskGroup(limit)
        self._is_inside = False

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        self._group = TaskGroup(self._limit)
        try:
            async with self._group:
                return await work()
        finally:
            self._is_inside = False

    async def go(self, work: Work) -> anyio.CancelScope:
        return await self._group.go(work)

    async def try_go(self, work: Work) -> bool:
        return await self._group.try_go(work)

    async def cancel_child(self, child: anyio.CancelScope) -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self._group.go(now)

    async def fail_now(self) -> None:
        await self._group.go(fail)

"""anyio's task group, on asyncio and on trio."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.abc

import quiesce

Work = Callable[[], Awaitable[object]]


async def now() -> None:
    """Return at once."""


async def fail() -> None:
    """Fail at once."""
    raise LookupError


@quiesce.adapter(
    "task_group",
    world=("asyncio", "trio"),
    name="anyio.TaskGroup",
    distribution="anyio",
    scope="anyio",
    # It has no limit, and start_soon returns nothing that could be cancelled alone.
    lacks={
        *("wait", "look", "limit", "limit_zero", "set_limit", "try"),
        *("cancel_child", "coroutines"),
    },
    # Documentation, "Creating and managing tasks": all exceptions in one group. It says nothing
    # against a start in a cancelled group: the task begins, and is cancelled where it waits.
    dialect={"errors": "all", "aborting": "cancels"},
)
class Group:
    """``create_task_group``, a new one for each block."""

    def __init__(self, limit: None) -> None:
        self._group: anyio.abc.TaskGroup | None = None
        self._is_inside = False

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        try:
            async with anyio.create_task_group() as self._group:
                return await work()
        finally:
            self._is_inside = False

    async def go(self, work: Work) -> None:
        if self._group is None:
            raise RuntimeError("no group yet")
        self._group.start_soon(work)

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)

"""anyio's task group, on asyncio and on trio."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

import quiesce

Work = Callable[[], Coroutine[Any, Any, object]]


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
    lacks={"wait", "look", "limit", "limit_zero", "set_limit", "try"},  # what a plain group has
    # Documentation, "Creating and managing tasks": all exceptions in one group. It says nothing
    # against a start in a cancelled group: the task begins, and is cancelled where it waits.
    dialect={"errors": "all", "aborting": "cancels"},
)
class Group:
    """``create_task_group``, a new one for each block."""

    def __init__(self, limit: int | None) -> None:
        assert limit is None  # it has none
        self._group = anyio.create_task_group()
        self._is_inside = False
        self._unclosed = 0

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        self._group = anyio.create_task_group()
        try:
            async with self._group:
                value = await work()
        finally:
            self._is_inside = False
        return value

    async def go(self, work: Work) -> "anyio.TaskHandle[object, Any]":
        coroutine = work()
        try:
            return self._group.create_task(coroutine)
        except RuntimeError:
            self._unclosed += inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
            coroutine.close()
            raise

    async def cancel_child(self, child: "anyio.TaskHandle[object, Any]") -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)

    async def unclosed(self) -> int:
        return self._unclosed

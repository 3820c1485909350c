"""asyncio's TaskGroup, with tasks that begin later and with tasks that begin at once."""

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import quiesce

Work = Callable[[], Coroutine[Any, Any, object]]

LACKS = {"wait", "look", "limit", "limit_zero", "set_limit", "try"}  # what a plain group has
# Documentation, "Task Groups": all exceptions in one group; a group that is inactive, "one that
# has either not started or has completed", or one that shuts down takes no more tasks.
DIALECT = {"errors": "all", "aborting": "refuses"}


async def now() -> None:
    """Return at once."""


async def fail() -> None:
    """Fail at once."""
    raise LookupError


@quiesce.adapter(
    "task_group", world="asyncio", name="asyncio.TaskGroup", lacks=LACKS, dialect=DIALECT
)
class Group:
    """``TaskGroup``, a new one for each block."""

    def __init__(self, limit: int | None) -> None:
        assert limit is None  # it has none
        self._group = asyncio.TaskGroup()
        self._is_inside = False
        self._refused: list[Coroutine[Any, Any, object]] = []

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for coroutine in self._refused:
                coroutine.close()

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._is_inside = True
        self._group = asyncio.TaskGroup()
        try:
            async with self._group:
                return await work()
        finally:
            self._is_inside = False

    async def go(self, work: Work) -> asyncio.Task[object]:
        coroutine = work()
        try:
            return self._group.create_task(coroutine)
        except RuntimeError:
            self._refused.append(coroutine)
            raise

    async def cancel_child(self, child: asyncio.Task[object]) -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)

    async def unclosed(self) -> int:
        states = map(inspect.getcoroutinestate, self._refused)
        return sum(state == inspect.CORO_CREATED for state in states)


if sys.version_info >= (3, 12):

    @quiesce.adapter(
        "task_group", world="asyncio", name="asyncio.TaskGroup.eager", lacks=LACKS, dialect=DIALECT
    )
    class EagerGroup(Group):
        """The same under ``eager_task_factory``: a task begins where it is made."""

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)
            async with super().lifespan():
                yield

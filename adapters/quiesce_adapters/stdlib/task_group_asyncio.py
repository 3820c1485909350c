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
# KeyboardInterrupt and SystemExit are raised as they are, without the other errors.
DIALECT = {"errors": "all", "aborting": "refuses", "exits": "alone"}


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
        self._is_inside, self._unclosed = False, 0

    async def run(self, work: Work) -> object:
        if self._is_inside:
            raise RuntimeError("one block at a time")
        self._group, self._is_inside = asyncio.TaskGroup(), True
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
            self._unclosed += inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
            coroutine.close()
            raise

    async def cancel_child(self, child: asyncio.Task[object]) -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)

    async def unclosed(self) -> int:
        return self._unclosed


if sys.version_info >= (3, 12):

    @quiesce.adapter(
        "task_group", world="asyncio", name="asyncio.TaskGroup.eager", lacks=LACKS, dialect=DIALECT
    )
    class EagerGroup(Group):
        """The same under ``eager_task_factory``: a task begins where it is made."""

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            yield

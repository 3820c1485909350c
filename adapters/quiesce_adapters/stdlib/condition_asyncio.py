"""The condition of asyncio."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import quiesce

# Documentation, from 3.13 on: "a task may return from this call spuriously".
SPURIOUS = "yes" if sys.version_info >= (3, 13) else "no"


@quiesce.adapter(
    "condition",
    world="asyncio",
    name="asyncio.Condition",
    # A task is cancelled instead of timing out. An asyncio lock has no owner: "cannot notify on
    # un-acquired lock" is all that is checked.
    lacks={"timeout", "ownership"},
    # The documentation promises no order among the waiters.
    dialect={"fifo": "no", "spurious_wakeup": SPURIOUS},
)
class Condition:
    """``Condition`` with the lock that it makes itself."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()

    async def wait(self, work: Callable[[], Awaitable[object]]) -> object:
        async with self._condition:
            await self._condition.wait()
            return await work()

    async def hold(self, work: Callable[[], Awaitable[object]]) -> object:
        async with self._condition:
            return await work()

    async def notify(self, n: int) -> None:
        async with self._condition:
            self._condition.notify(n)

    async def notify_all(self) -> None:
        async with self._condition:
            self._condition.notify_all()

    async def notify_here(self, n: int) -> None:
        self._condition.notify(n)

    async def wait_here(self) -> None:
        await self._condition.wait()

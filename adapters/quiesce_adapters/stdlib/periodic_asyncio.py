"""A periodic task that programs build from asyncio: a task with a loop that sleeps.

A recipe: it sleeps until the next due time instead of for a period, or each run would move all
that follow. Stop cancels the task, and with it a run that is under way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter(
    "periodic",
    world="asyncio",
    name="asyncio.sleep_loop",
    # A task that waits for itself with asyncio.wait is not refused.
    lacks={"handler", "exit", "reentrance_error"},
    dialect={"overrun": "skip", "on_failure": "ends", "cancel_delivery": "edge"},
)
class SleepLoop:
    """``asyncio.create_task``, ``asyncio.sleep`` and ``asyncio.wait``."""

    def __init__(self, period: int, work: Callable[[], Awaitable[object]], handler: object) -> None:
        del handler  # the error comes out of wait
        self._period, self._work = period, work

    async def _loop(self) -> None:
        loop = asyncio.get_running_loop()
        due = start = round(loop.time() * SECOND)
        while True:
            now = round(loop.time() * SECOND)
            due = start + ((now - start) // self._period + 1) * self._period
            await asyncio.sleep(due / SECOND - now / SECOND)
            await self._work()

    async def stop(self) -> None:
        self._task.cancel()

    async def wait(self) -> None:
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._task = asyncio.create_task(self._loop())
        yield
        self._task.cancel()
        with suppress(Exception):  # or asyncio complains of an error that nobody waited for
            await self.wait()

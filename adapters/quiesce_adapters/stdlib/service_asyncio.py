"""A background service that programs build from asyncio: a task with a ``finally``.

A recipe with three things to know: a task must be cancelled once only, or the second cancellation
hits the clean-up; it must not be awaited as such, or a cancelled wait cancels it; and a task that
is cancelled before its first step runs neither body nor clean-up.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import quiesce

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "service",
    world="asyncio",
    name="asyncio.create_task",
    lacks={"token", "exit"},
    dialect={"cancel_delivery": "edge", "start_twice": "refused", "reuse": "refused"},
)
class CreatedTask:
    """``asyncio.create_task``, ``Task.cancel`` and ``asyncio.wait``."""

    def __init__(self, work: Work, cleanup: Work) -> None:
        self._work, self._cleanup = work, cleanup
        self._task: asyncio.Task[None] | None = None
        self._cleans = False

    async def _body(self) -> None:
        try:
            await self._work()
        finally:
            self._cleans = True
            await self._cleanup()

    async def start(self) -> None:
        if self._task is not None:
            msg = "started before"
            raise RuntimeError(msg)
        self._task = asyncio.create_task(self._body())

    async def start_stop(self) -> None:
        await self.start()
        await self.stop()

    async def stop(self) -> None:
        if self._task is not None and not self._cleans and not self._task.cancelling():
            self._task.cancel()

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        await self.stop()
        with suppress(Exception):  # or asyncio complains of an error that nobody waited for
            await self.wait()

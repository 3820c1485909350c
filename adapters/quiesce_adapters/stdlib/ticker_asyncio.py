"""A ticker that programs build from asyncio: a timer and a queue with room for one tick.

A recipe, not something that asyncio offers: ``call_at`` sets the next timer at an absolute time,
as its documentation suggests for what has to keep its phase, and a full queue drops the tick.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter("ticker", world="asyncio", name="asyncio.call_at", lacks={"refusal"})
class CallAt:
    """``loop.call_at`` and ``asyncio.Queue(1)``."""

    def __init__(self, period: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue = asyncio.Queue[int](1)
        self._start(period)

    def _start(self, period: int) -> None:
        self._period = period
        self._arm(round(self._loop.time() * SECOND) + period)

    def _arm(self, due: int) -> None:
        self._timer = self._loop.call_at(due / SECOND, self._tick, due)

    def _tick(self, due: int) -> None:
        self._arm(due + self._period)
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(due)

    async def receive(self) -> int:
        return await self._queue.get()

    async def stop(self) -> None:
        self._timer.cancel()
        with suppress(asyncio.QueueEmpty):
            self._queue.get_nowait()

    async def reset(self, period: int) -> None:
        await self.stop()
        self._start(period)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        self._timer.cancel()

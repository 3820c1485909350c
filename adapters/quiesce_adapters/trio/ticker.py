"""A ticker that programs build from trio: a task that sleeps, and a channel with room for one.

A recipe, not something that trio offers. The task sends without waiting, and drops a tick for
which there is no room.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter(
    "ticker", world="trio", distribution="trio", name="trio.MemoryChannel", lacks={"refusal"}
)
class TaskAndChannel:
    """``trio.sleep_until`` and ``trio.open_memory_channel(1)``."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._send, self._receive = trio.open_memory_channel[int](1)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as self._nursery:
            self._start(self._period)
            yield
            self._nursery.cancel_scope.cancel()

    def _start(self, period: int) -> None:
        self._scope = trio.CancelScope()
        now = round(trio.current_time() * SECOND)
        self._nursery.start_soon(self._tick, self._scope, period, now)

    async def _tick(self, scope: trio.CancelScope, period: int, due: int) -> None:
        with scope:
            while True:
                due += period
                await trio.sleep_until(due / SECOND)
                with suppress(trio.WouldBlock):
                    self._send.send_nowait(due)

    async def receive(self) -> int:
        return await self._receive.receive()

    async def stop(self) -> None:
        self._scope.cancel()
        with suppress(trio.WouldBlock):
            self._receive.receive_nowait()

    async def reset(self, period: int) -> None:
        await self.stop()
        self._start(period)

"""A ticker that programs build from anyio: a task that sleeps, and a stream with room for one.

A recipe, not something that anyio offers. The task sends without waiting, and drops a tick for
which there is no room.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio

import quiesce

SECOND = 1_000_000_000


@quiesce.adapter(
    "ticker",
    world=("asyncio", "trio"),
    name="anyio.MemoryObjectStream",
    distribution="anyio",
    lacks={"refusal"},
    scope="anyio",
)
class TaskAndStream:
    """``anyio.sleep_until`` and ``anyio.create_memory_object_stream(1)``."""

    def __init__(self, period: int) -> None:
        self._period = period
        self._send, self._receive = anyio.create_memory_object_stream[int](1)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as self._tasks, self._send, self._receive:
            self._start(self._period)
            yield
            self._tasks.cancel_scope.cancel()

    def _start(self, period: int) -> None:
        self._scope = anyio.CancelScope()
        now = round(anyio.current_time() * SECOND)
        self._tasks.start_soon(self._tick, self._scope, period, now)

    async def _tick(self, scope: anyio.CancelScope, period: int, due: int) -> None:
        with scope:
            while True:
                due += period
                await anyio.sleep_until(due / SECOND)
                with suppress(anyio.WouldBlock):
                    self._send.send_nowait(due)

    async def receive(self) -> int:
        return await self._receive.receive()

    async def stop(self) -> None:
        self._scope.cancel()
        with suppress(anyio.WouldBlock):
            self._receive.receive_nowait()

    async def reset(self, period: int) -> None:
        await self.stop()
        self._start(period)

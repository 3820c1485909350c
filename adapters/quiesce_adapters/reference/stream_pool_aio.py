"""Streams of the reference's worker pool, for asyncio and trio."""

from collections.abc import AsyncIterator, Awaitable, Callable

import quiesce
from quiesce_reference.aio import WorkerPool


@quiesce.adapter(
    "stream_pool",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.WorkerPool.stream",
    dialect={"cancel_running": "interrupted"},
)
class PoolStream:
    """``WorkerPool.stream``."""

    def __init__(
        self,
        workers: int,
        buffer: int,
        ordered: bool,
        source: AsyncIterator[object],
        function: Callable[[object], Awaitable[object]],
    ) -> None:
        # Without a bound of its own, so that the stream's is what shows.
        self._pool = WorkerPool(workers, queue=None)
        self._stream = self._pool.stream(function, source, buffer=buffer, ordered=ordered)

    def lifespan(self) -> WorkerPool:
        return self._pool

    async def next(self) -> object:
        try:
            return "item", await anext(self._stream)
        except StopAsyncIteration:
            return "end"

    async def stop(self) -> None:
        self._stream.stop()

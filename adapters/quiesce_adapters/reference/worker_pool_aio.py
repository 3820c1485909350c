"""Worker pool of the reference, for asyncio and trio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import quiesce
from quiesce_reference.aio import Job, WorkerPool

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "worker_pool",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.WorkerPool",
    dialect={"fifo": "yes", "on_failure": "continue", "cancel_running": "interrupted"},
)
class Pool:
    """``WorkerPool``."""

    cancel_on_error = False

    def __init__(self, workers: int, queue: int | None) -> None:
        self._pool = WorkerPool(workers, queue=queue, cancel_on_error=self.cancel_on_error)

    def lifespan(self) -> AbstractAsyncContextManager[object]:
        return self._pool

    async def submit(self, work: Work) -> Job[object]:
        return await self._pool.submit(work)

    async def try_submit(self, work: Work) -> Job[object]:
        job = self._pool.try_submit(work)
        if job is None:
            raise BlockingIOError("no room")
        return job

    async def result(self, job: Job[object]) -> object:
        return await job.result()

    async def cancel_job(self, job: Job[object]) -> bool:
        return job.cancel()

    async def close(self) -> None:
        self._pool.close()

    async def join(self) -> None:
        self._pool.close()
        await self._pool.wait()

    async def cancel(self) -> None:
        self._pool.cancel()

    async def build(self, workers: int) -> None:
        WorkerPool(workers)


@quiesce.adapter(
    "worker_pool",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.WorkerPool.cancel_on_error",
    lacks={"release"},  # the pool keeps its first error, and raises it in the end
    dialect={"fifo": "yes", "on_failure": "cancel_rest", "cancel_running": "interrupted"},
)
class FailingPool(Pool):
    """``WorkerPool`` whose first error cancels the rest."""

    cancel_on_error = True

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        with suppress(Exception):
            async with self._pool:
                yield

"""Worker pool of the reference, for threads."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import quiesce
from quiesce_reference.threads import Job, WorkerPool

Work = Callable[[], object]


@quiesce.adapter(
    "worker_pool",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.WorkerPool",
    dialect={"fifo": "yes", "on_failure": "continue", "cancel_running": "runs_on"},
)
class Pool:
    """``WorkerPool``."""

    cancel_on_error = False

    def __init__(self, workers: int, queue: int | None) -> None:
        self._pool = WorkerPool(workers, queue=queue, cancel_on_error=self.cancel_on_error)

    def lifespan(self) -> AbstractContextManager[object]:
        return self._pool

    def submit(self, work: Work) -> Job[object]:
        return self._pool.submit(work)

    def try_submit(self, work: Work) -> Job[object]:
        job = self._pool.try_submit(work)
        if job is None:
            raise BlockingIOError("no room")
        return job

    def result(self, job: Job[object]) -> object:
        return job.result()

    def cancel_job(self, job: Job[object]) -> bool:
        return job.cancel()

    def close(self) -> None:
        self._pool.close()

    def join(self) -> None:
        self._pool.close()
        self._pool.wait()

    def cancel(self) -> None:
        self._pool.cancel()

    def build(self, workers: int) -> None:
        WorkerPool(workers)


@quiesce.adapter(
    "worker_pool",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.WorkerPool.cancel_on_error",
    lacks={"release", "panic"},  # the pool keeps its first error, and raises it in the end
    dialect={"fifo": "yes", "on_failure": "cancel_rest", "cancel_running": "runs_on"},
)
class FailingPool(Pool):
    """``WorkerPool`` whose first error cancels the rest."""

    cancel_on_error = True

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with suppress(Exception), self._pool:
            yield

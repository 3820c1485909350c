"""bounded-pool-executor as a worker pool: an executor whose submit waits for a worker.

It promises the interface of ``concurrent.futures`` and a bound of ``max_workers`` on what is
submitted, so a job is accepted when a worker is free for it. It says nothing of an order.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager

from bounded_pool_executor import (  # type: ignore[import-untyped] # no py.typed
    BoundedThreadPoolExecutor,
)

import quiesce

Work = Callable[[], object]


@quiesce.adapter(
    "worker_pool",
    world="threads",
    distribution="bounded-pool-executor",
    lacks={"places", "unbounded", "try_submit"},
    dialect={"fifo": "no", "cancel_running": "runs_on"},
)
class Executor:
    """``BoundedThreadPoolExecutor``."""

    def __init__(self, workers: int, queue: int) -> None:  # noqa: ARG002 - 0, as declared
        self._executor = BoundedThreadPoolExecutor(workers)

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with self._executor:
            yield

    def submit(self, work: Work) -> Future[object]:
        job: Future[object] = self._executor.submit(work)
        return job

    def result(self, job: Future[object]) -> object:
        try:
            return job.result()
        except CancelledError:
            raise RuntimeError("the job was cancelled") from None

    def cancel_job(self, job: Future[object]) -> bool:
        return job.cancel()

    def close(self) -> None:
        self._executor.shutdown(wait=False)

    def join(self) -> None:
        self._executor.shutdown()

    def cancel(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def build(self, workers: int) -> None:
        BoundedThreadPoolExecutor(workers)

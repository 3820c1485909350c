"""``concurrent.futures.ThreadPoolExecutor`` as a worker pool.

Its documentation promises no bound on what is queued ("max_workers" bounds threads only), so it
has no back-pressure: every queue is endless. ``shutdown(cancel_futures=True)`` is its cancel.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager

import quiesce

Work = Callable[[], object]


@quiesce.adapter(
    "worker_pool",
    world="threads",
    packages=["concurrent"],
    name="concurrent.futures.ThreadPoolExecutor",
    lacks={"bounded", "rendezvous", "try_submit"},
    dialect={"cancel_running": "runs_on"},  # Future.cancel: a running call is not cancelled
)
class Executor:
    """``ThreadPoolExecutor``."""

    def __init__(self, workers: int, queue: None) -> None:  # noqa: ARG002 - endless
        self._executor = ThreadPoolExecutor(workers)

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with self._executor:
            yield

    def submit(self, work: Work) -> Future[object]:
        return self._executor.submit(work)

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
        ThreadPoolExecutor(workers)

"""Streams of the reference's worker pool, for threads."""

from collections.abc import Callable, Iterator

import quiesce
from quiesce_reference.threads import WorkerPool


@quiesce.adapter(
    "stream_pool",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.WorkerPool.stream",
    dialect={"cancel_running": "runs_on"},
)
class PoolStream:
    """``WorkerPool.stream``."""

    def __init__(
        self,
        workers: int,
        buffer: int,
        ordered: bool,
        source: Iterator[object],
        function: Callable[[object], object],
    ) -> None:
        # Without a bound of its own, so that the stream's is what shows.
        self._pool = WorkerPool(workers, queue=None)
        self._stream = self._pool.stream(function, source, buffer=buffer, ordered=ordered)

    def lifespan(self) -> WorkerPool:
        return self._pool

    def next(self) -> object:
        try:
            return "item", next(self._stream)
        except StopIteration:
            return "end"

    def stop(self) -> None:
        self._stream.stop()

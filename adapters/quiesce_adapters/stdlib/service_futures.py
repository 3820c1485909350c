"""A background service that programs build from concurrent.futures: a job, and an event for it.

A recipe. The future is what waits and tells how the job ended, every time; the request to
stop is an event that the job is given, because a running job can't be cancelled (documentation
of ``Future.cancel``). The pool and the event make it three objects that have to be kept together.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import quiesce

Work = Callable[[], object]


@quiesce.adapter(
    "service",
    world="threads",
    name="concurrent.futures.submit",
    packages=["concurrent"],
    dialect={"cancel_delivery": "cooperative", "start_twice": "refused", "reuse": "refused"},
)
class Submitted:
    """``ThreadPoolExecutor(1).submit`` of a body with its clean-up."""

    def __init__(self, work: Work, cleanup: Work) -> None:
        self._work, self._cleanup = work, cleanup
        self._pool = ThreadPoolExecutor(1)
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._future: Future[None] | None = None

    def _body(self) -> None:
        try:
            self._work()
        finally:
            self._cleanup()

    def start(self) -> None:
        with self._starting:
            if self._future is not None:
                msg = "started before"
                raise RuntimeError(msg)
            self._future = self._pool.submit(self._body)

    def start_stop(self) -> None:
        self.start()
        self.stop()

    def stop(self) -> None:
        with self._starting:
            if self._future is not None:
                self._asked.set()

    def stopping(self) -> bool:
        return self._asked.is_set()

    def wait(self) -> None:
        with self._starting:
            future = self._future
        if future is not None:
            future.result()

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        with self._pool:
            yield

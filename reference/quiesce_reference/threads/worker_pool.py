"""Worker pool: a fixed number of threads run the jobs that callers submit.

Go programs build it from a channel of jobs and some goroutines; here it is an object. Unlike
``concurrent.futures.ThreadPoolExecutor`` it has a bounded queue: who submits more than the
pool can hold waits, so a fast producer never fills the memory.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, final

from quiesce_reference.errors import JobCancelledError, PoolClosedError
from quiesce_reference.threads.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

__all__ = ["Job", "WorkerPool"]

S = TypeVar("S")
T = TypeVar("T")

CLOSED: Final = "the pool is closed: it accepts no more jobs"


@final
class Job(Generic[T]):
    """What ``submit`` returns: one job and its outcome.

    Clauses: WP-04, WP-15, UN-05, UN-11.
    """

    def __init__(
        self, pool: WorkerPool, fn: Callable[[], T], tell: Callable[[Job[T]], None] | None
    ) -> None:
        self._pool = pool
        self._tell = tell  # called once, when the job has ended
        self._fn: Callable[[], T] | None = fn  # until it has run: nothing keeps it longer
        # Written by one thread, before _ended is set; read by others after that.
        self._value: T | None = None
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left the function
        self._ended = threading.Event()
        self._is_cancelled = False  # protected by the pool's lock

    def result(self) -> T:
        """Wait for the end, and return the function's value or raise its very exception.

        Any number of threads may ask, as often as they like.

        Raises:
          JobCancelledError: the job was cancelled, by its ``cancel`` or with the pool.
        """
        self._ended.wait()
        if self._error is not None:
            # From the same traceback each time, or it would grow with each raise.
            raise self._error.with_traceback(self._trace)
        return self._value  # type: ignore[return-value]  # no error: the function returned it

    def cancel(self) -> bool:
        """Cancel the job if no worker has taken it; return whether it is cancelled.

        A cancelled job never runs, and its place is free at once. A running job is not
        disturbed: a thread can't be interrupted.
        """
        return self._pool._cancel_job(self)

    def _run(self) -> None:
        """Run the function. Whatever it raises is its outcome, not the worker's."""
        assert self._fn is not None
        try:
            self._value = self._fn()
        except BaseException as error:
            self._error, self._trace = error, error.__traceback__
        self._fn = None

    def _drop(self) -> None:
        """End the job without running it."""
        self._fn = None
        self._error = JobCancelledError("the job was cancelled before a worker took it")
        self._end()

    def _end(self) -> None:
        """Let everybody know the outcome."""
        self._ended.set()
        if self._tell is not None:
            self._tell(self)


@final
class _Place:
    """A blocked submitter's place in the line. Protected by the pool's lock."""

    __slots__ = ("changed", "is_admitted", "is_refused", "job")

    def __init__(self, job: Job[Any], lock: threading.Lock) -> None:
        self.job = job
        self.is_admitted = self.is_refused = False
        self.changed = threading.Condition(lock)


@final
class WorkerPool:
    """At most ``workers`` threads, which run jobs in the order in which they were accepted.

    At most ``workers + queue`` jobs are inside, running or queued. Any number of threads may
    call any method at the same time, jobs as well. Threads are started when there is a job
    for them, and end when the pool is closed and has no more jobs.

    Use it as ``with WorkerPool(4, queue=8) as pool:``. Leaving the block closes the pool and
    waits for its jobs; leaving it by an exception cancels those that have not started.

    Args:
      workers: how many jobs may run at once.
      queue: how many accepted jobs may wait for a worker; with 0 a job is accepted when a worker
        is free for it, None is no bound.
      cancel_on_error: whether the first job that raises cancels the pool; ``wait`` then raises
        its error. By default an error is its own job's affair.

    Raises:
      ValueError: there is no worker, or ``queue`` is negative.

    Clauses: WP-01, WP-02, WP-03, WP-05 (fifo), WP-06, WP-10, WP-13, UN-01, UN-08, UN-10.
    """

    def __init__(
        self, workers: int, *, queue: int | None = 0, cancel_on_error: bool = False
    ) -> None:
        if workers < 1:
            msg = f"a pool of {workers} workers would never run a job: give it at least one"
            raise ValueError(msg)
        if queue is not None and queue < 0:
            msg = f"a queue can't have {queue} places: use 0 or more, or None for no bound"
            raise ValueError(msg)
        self._workers = workers
        self._room = None if queue is None else workers + queue
        self._cancel_on_error = cancel_on_error
        # Held for a few statements at a time, never while a job runs (UN-08).
        self._lock = threading.Lock()
        self._job_or_close = threading.Condition(self._lock)  # what idle workers wait for
        self._drained = threading.Condition(self._lock)  # closed, and nothing inside
        # Protected by _lock.
        self._closed = False
        self._failed: Job[Any] | None = None  # the first that raised, if that cancels the rest
        self._jobs: deque[Job[Any]] = deque()  # accepted, not yet taken
        self._running = 0
        self._idle = 0
        self._threads: list[threading.Thread] = []
        # Oldest first. Whenever it isn't empty the pool is full: who makes room hands it to
        # the first of them under the same hold of the lock, so nobody overtakes.
        self._line: deque[_Place] = deque()
        self._streams: list[Stream[Any]] = []  # those that have a thread

    def submit(self, fn: Callable[[], T]) -> Job[T]:
        """Wait until there is room, hand over ``fn``, and return its job.

        Submitters are let in first come, first served. A job may submit to its own pool, but
        if the pool is full and every running job waits here, none of them gets on until the pool
        is closed or cancelled.

        Raises:
          PoolClosedError: the pool is closed, before the call or during it. ``fn`` never runs.
          RuntimeError: no thread could be started. ``fn`` never runs.

        Clauses: WP-05, WP-06, WP-08, WP-09, WP-14.
        """
        return self._submit(fn, None)

    def _submit(self, fn: Callable[[], T], tell: Callable[[Job[T]], None] | None) -> Job[T]:
        job = Job(self, fn, tell)
        with self._lock:
            if self._accept(job):
                return job
            place = _Place(job, self._lock)
            self._line.append(place)
            try:
                while not (place.is_admitted or place.is_refused):
                    place.changed.wait()
            except BaseException:  # an interrupt of the main thread: as if he had never come
                if not place.is_admitted and not place.is_refused:
                    self._line.remove(place)
                raise
        if place.is_refused:
            raise PoolClosedError(CLOSED)
        return job

    def try_submit(self, fn: Callable[[], T]) -> Job[T] | None:
        """Hand over ``fn`` if there is room at once, and return its job; else return None.

        Raises:
          PoolClosedError: the pool is closed.
          RuntimeError: no thread could be started. ``fn`` never runs.

        Clauses: WP-06.
        """
        job = Job(self, fn, None)
        with self._lock:
            return job if self._accept(job) else None

    def stream(
        self,
        fn: Callable[[S], T],
        source: Iterable[S],
        *,
        buffer: int = 0,
        ordered: bool = False,
    ) -> Stream[T]:
        """Run ``fn`` for each item of ``source``; return an iterator over the outcomes.

        The source is pulled as outcomes are taken, never further ahead than ``workers +
        buffer`` items: see ``Stream``.

        Args:
          fn: called with one item, in a worker.
          source: pulled one item at a time in a thread of the stream's own.
          buffer: outcomes that may lie ready while all workers are busy with more.
          ordered: give outcomes in the order of their items, not as jobs end.

        Raises:
          ValueError: ``buffer`` is negative.

        Clauses: WP-07, WP-17, WP-18.
        """
        if buffer < 0:
            msg = f"a buffer can't have {buffer} places: use 0 or more"
            raise ValueError(msg)
        return Stream(self, fn, source, places=self._workers + buffer, ordered=ordered)

    def close(self) -> None:
        """Accept no more jobs, and return at once; those inside will run.

        Blocked submitters are refused, and streams pull no more. Closing again does nothing.

        Clauses: WP-08, UN-02, UN-07.
        """
        with self._lock:
            self._close()
            streams = list(self._streams)
        for stream in streams:
            stream._end_pulling()

    def cancel(self) -> None:
        """Accept no more jobs, drop those that are queued, and return at once.

        Jobs that run are not disturbed. Cancelling again does nothing.

        Clauses: WP-09, UN-07.
        """
        with self._lock:
            dropped, streams = self._cancel()
        let_go(dropped, streams)

    def wait(self) -> None:
        """Wait until the pool is closed, every job has ended, and every thread with it.

        A stream's pull that is under way is waited for as well: nothing can interrupt it. It
        may be called again, and by several threads. A job that waits for its own pool waits
        for ever.

        Raises:
          Exception: with ``cancel_on_error`` the first job's that raised, each time.

        Clauses: WP-10, WP-11.
        """
        self._wait()
        if self._failed is not None:
            self._failed.result()

    def _wait(self) -> None:
        with self._lock:
            while not self._is_drained():
                self._drained.wait()
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self.close()
            self.wait()
        else:  # the block's own error goes before those of jobs
            self.cancel()
            self._wait()

    def _accept(self, job: Job[Any]) -> bool:
        """Take a job in, if there is room. Holds the lock, as everything below does."""
        if self._closed:
            raise PoolClosedError(CLOSED)
        if self._room is not None and len(self._jobs) + self._running >= self._room:
            return False
        self._jobs.append(job)
        # Workers that were woken count as idle until they run: hence the comparison, which
        # gives each job a worker of its own while there are any.
        if len(self._jobs) <= self._idle:
            self._job_or_close.notify()
        elif len(self._threads) < self._workers:
            self._hire(job)
        return True

    def _hire(self, job: Job[Any]) -> None:
        thread = threading.Thread(target=self._work, name="worker", daemon=False)
        self._threads.append(thread)
        try:
            thread.start()
        except BaseException:
            self._threads.remove(thread)
            self._jobs.remove(job)
            raise

    def _work(self) -> None:
        """The life of a worker."""
        while (job := self._take()) is not None:
            job._run()
            with self._lock:
                self._running -= 1
                dropped, streams = self._after(job)
            # Only now: whoever has seen the outcome finds the room that the job took up.
            job._end()
            let_go(dropped, streams)
            del job  # or an idle worker keeps its value

    def _take(self) -> Job[Any] | None:
        """Wait for a job, and take it; None if no more will come."""
        with self._lock:
            while not self._jobs:
                if self._closed:
                    return None
                self._idle += 1
                try:
                    self._job_or_close.wait()
                finally:
                    self._idle -= 1
            self._running += 1
            return self._jobs.popleft()

    def _after(self, job: Job[Any]) -> tuple[Sequence[Job[Any]], Sequence[Stream[Any]]]:
        """A job has run. Returns what goes with it, if it takes the rest along."""
        if self._cancel_on_error and job._error is not None:
            if self._failed is None:
                self._failed = job
            return self._cancel()
        self._admit()
        return (), ()

    def _cancel(self) -> tuple[Sequence[Job[Any]], Sequence[Stream[Any]]]:
        """Close, and return what ``let_go`` is to be told of, without the lock."""
        dropped, self._jobs = self._jobs, deque()
        for job in dropped:
            job._is_cancelled = True
        self._close()
        return dropped, list(self._streams)

    def _admit(self) -> None:
        """A job has left. Give its room to the first in the line, or tell that all is done."""
        if self._line:
            place = self._line.popleft()
            self._jobs.append(place.job)
            place.is_admitted = True
            place.changed.notify()
            # All workers exist, or the pool would not have been full; one may be idle, though,
            # if it was a queued job that left.
            self._job_or_close.notify()
        elif self._is_drained():
            self._drained.notify_all()

    def _close(self) -> None:
        self._closed = True
        for place in self._line:
            place.is_refused = True
            place.changed.notify()
        self._line.clear()
        self._job_or_close.notify_all()
        if self._is_drained():
            self._drained.notify_all()

    def _cancel_job(self, job: Job[Any]) -> bool:
        with self._lock:
            if job not in self._jobs:
                return job._is_cancelled
            self._jobs.remove(job)
            job._is_cancelled = True
            self._admit()
        job._drop()
        return True

    def _is_drained(self) -> bool:
        return self._closed and not (self._jobs or self._running or self._streams)

    def _enlist(self, stream: Stream[Any]) -> None:
        """A stream is about to start its thread. Takes the lock, as the next one does."""
        with self._lock:
            if self._closed:
                raise PoolClosedError(CLOSED)
            self._streams.append(stream)

    def _delist(self, stream: Stream[Any]) -> None:
        """A stream's thread is at its end."""
        with self._lock:
            self._streams.remove(stream)
            if self._is_drained():
                self._drained.notify_all()


def let_go(jobs: Sequence[Job[Any]], streams: Sequence[Stream[Any]]) -> None:
    """Tell those who wait for them that queued jobs are dropped and streams pull no more."""
    for job in jobs:
        job._drop()
    for stream in streams:
        stream._end_pulling()

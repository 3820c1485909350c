"""Worker pool: a bounded number of tasks run the jobs that callers submit.

The twin of the pool for threads, with two differences that async code asks for: a running job
can be cancelled, and the pool's jobs live in its ``async with`` block. A worker is no task of its
own here: each job gets a task as soon as fewer jobs run than there are workers.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, final

import anyio
import anyio.lowlevel

from quiesce_reference.aio.stream import Stream
from quiesce_reference.errors import JobCancelledError, PoolClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable
    from contextvars import Context
    from types import TracebackType

    from anyio.abc import TaskGroup

__all__ = ["Job", "WorkerPool"]

S = TypeVar("S")
T = TypeVar("T")

CLOSED: Final = "the pool is closed: it accepts no more jobs"
NOT_OPEN: Final = "this WorkerPool is not open: use it inside its 'async with' block"
CANCELLED: Final = "the job was cancelled"


@final
class Job(Generic[T]):
    """What ``submit`` returns: one job and its outcome.

    Clauses: WP-04, WP-15, UN-05, UN-11.
    """

    def __init__(
        self,
        pool: WorkerPool,
        fn: Callable[[], Awaitable[T]],
        tell: Callable[[Job[T]], None] | None,
    ) -> None:
        self._pool = pool
        self._tell = tell  # called once, when the job has ended
        self._fn: Callable[[], Awaitable[T]] | None = fn  # until it has run
        self._context: Context | None = copy_context()  # the submitter's, until it runs
        self._scope = anyio.CancelScope()  # around the function
        self._has_ended = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left the function
        self._ended: anyio.Event | None = None  # for those who wait, if there are any

    async def result(self) -> T:
        """Wait for the end, and return the function's value or raise its very exception.

        Any number of tasks may ask, as often as they like. Cancelling one who waits ends
        his wait alone.

        Raises:
          JobCancelledError: the job was cancelled, by its ``cancel`` or with the pool.
        """
        if not self._has_ended:
            if self._ended is None:
                self._ended = anyio.Event()
            await self._ended.wait()
        if self._error is not None:
            # From the same traceback each time, or it would grow with each raise.
            raise self._error.with_traceback(self._trace)
        return self._value  # type: ignore[return-value]  # no error: the function returned it

    def cancel(self) -> bool:
        """Cancel the job unless it has ended; return whether it is or will be cancelled.

        A queued job never runs, and its place is free at once. A running one gets a
        cancellation; one that ends all the same keeps its outcome.
        """
        return self._pool._cancel_job(self)

    async def _run(self) -> None:
        """Run the function. Whatever it raises is its outcome, not the task's.

        Not even a cancellation comes out: the task is at its end.
        """
        cancelled = anyio.get_cancelled_exc_class()
        fn, self._fn = self._fn, None
        assert fn is not None
        try:
            with self._scope:
                # It may have been cancelled before this first step.
                if not self._scope.cancel_called:
                    self._value = await fn()
                    return
        except cancelled as error:
            cause: BaseException | None = error
        except BaseException as error:
            self._error, self._trace = error, error.__traceback__
            return
        else:
            cause = None
        self._error = JobCancelledError(CANCELLED)
        self._error.__cause__ = cause

    def _has_failed(self) -> bool:
        return self._error is not None and not isinstance(self._error, JobCancelledError)

    def _drop(self) -> None:
        """End the job without running it."""
        self._fn = self._context = None
        self._error = JobCancelledError(CANCELLED)
        self._end()

    def _end(self) -> None:
        self._has_ended = True
        if self._ended is not None:
            self._ended.set()
        if self._tell is not None:
            self._tell(self)


@final
class _Place:
    """A blocked submitter's place in the line."""

    __slots__ = ("changed", "is_granted")

    def __init__(self) -> None:
        self.is_granted = False  # he has room, and is about to bring his job
        self.changed = anyio.Event()


@final
class WorkerPool:
    """At most ``workers`` running jobs, taken in the order in which they were accepted.

    At most ``workers + queue`` jobs are inside, running or queued. Use it as ``async with
    WorkerPool(4, queue=8) as pool:``. Jobs live in that block, callers may be anywhere in the
    same event loop. Leaving the block closes the pool and waits for its jobs; leaving it by an
    exception or a cancellation cancels them all.

    Args:
      workers: how many jobs may run at once.
      queue: how many accepted jobs may wait for a worker; with 0 a job is accepted when a worker
        is free for it, None is no bound.
      cancel_on_error: whether the first job that raises cancels the pool; ``wait`` then raises
        its error, and so does leaving the block. By default an error is its own job's affair.

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
        self._failed: Job[Any] | None = None  # the first that raised, if that cancels the rest
        self._tasks: TaskGroup | None = None  # set by the block
        self._closed = False
        self._jobs: deque[Job[Any]] = deque()  # accepted, not yet running
        self._running: list[Job[Any]] = []
        self._granted = 0  # submitters who have room, and have not yet come in
        # Oldest first. Whenever it isn't empty the pool is full: room goes from who makes
        # it to the first of them, so nobody overtakes.
        self._line: deque[_Place] = deque()
        self._streams: list[Stream[Any]] = []  # those that have a task
        self._drained = anyio.Event()  # closed, and nothing inside

    async def submit(self, fn: Callable[[], Awaitable[T]]) -> Job[T]:
        """Wait until there is room, hand over async ``fn``, and return its job.

        Submitters are let in first come, first served. ``fn`` runs with a copy of the
        submitter's context. Cancelling a submitter who waits undoes his call: his job never
        runs, and room that he was just given goes to the next.

        A job may submit to its own pool, but if the pool is full and every running job waits
        here, none of them gets on until the pool is closed or cancelled.

        Raises:
          PoolClosedError: the pool is closed, before the call or during it. ``fn`` never runs.
          RuntimeError: the block was not entered.

        Clauses: WP-05, WP-06, WP-08, WP-09, WP-14, UN-04.
        """
        return await self._submit(fn, None)

    async def _submit(
        self, fn: Callable[[], Awaitable[T]], tell: Callable[[Job[T]], None] | None
    ) -> Job[T]:
        await anyio.lowlevel.checkpoint_if_cancelled()
        if not self._has_room():
            place = _Place()
            self._line.append(place)
            try:
                await place.changed.wait()
            except BaseException:
                if place.is_granted:
                    self._granted -= 1
                    self._move_up()
                elif place in self._line:
                    self._line.remove(place)
                raise
            if place.is_granted:
                self._granted -= 1
        return self._accept(fn, tell)

    def try_submit(self, fn: Callable[[], Awaitable[T]]) -> Job[T] | None:
        """Hand over async ``fn`` if there is room at once, and return its job; else return None.

        It is no checkpoint.

        Raises:
          PoolClosedError: the pool is closed.
          RuntimeError: the block was not entered.

        Clauses: WP-06.
        """
        return self._accept(fn, None) if self._has_room() else None

    def stream(
        self,
        fn: Callable[[S], Awaitable[T]],
        source: AsyncIterable[S],
        *,
        buffer: int = 0,
        ordered: bool = False,
    ) -> Stream[T]:
        """Run async ``fn`` for each item of ``source``; return an async iterator over the outcomes.

        The source is pulled as outcomes are taken, never further ahead than ``workers +
        buffer`` items: see ``Stream``.

        Args:
          fn: called with one item, in a task of the pool.
          source: pulled one item at a time, in a task of the stream's own.
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
        self._closed = True
        while self._line:
            self._line.popleft().changed.set()
        for stream in self._streams:
            stream._end_pulling()
        self._move_up()

    def cancel(self) -> None:
        """Accept no more jobs, drop those that are queued, cancel those that run; don't wait.

        Cancelling again does nothing.

        Clauses: WP-09, UN-07.
        """
        dropped, self._jobs = self._jobs, deque()
        for job in dropped:
            job._drop()
        for job in self._running:
            job._scope.cancel()
        self.close()

    async def wait(self) -> None:
        """Wait until the pool is closed and every job has ended.

        It may be called again, and by several tasks. A job that waits for its own pool
        waits for ever.

        Raises:
          Exception: with ``cancel_on_error`` the first job's that raised, each time.

        Clauses: WP-10, WP-11.
        """
        await self._drained.wait()
        if self._failed is not None:
            await self._failed.result()

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            msg = "this WorkerPool is open already, or was: make one for each block"
            raise RuntimeError(msg)
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        assert self._tasks is not None
        try:
            if error is None:
                self.close()
                await self.wait()
        finally:
            self.cancel()
            # The group never hears of the body's error, so as not to wrap it in a group.
            try:
                await self._tasks.__aexit__(None, None, None)
            except anyio.get_cancelled_exc_class():
                if error is None:
                    raise
                # The body's own error goes before the bare cancellation.

    def _accept(
        self, fn: Callable[[], Awaitable[T]], tell: Callable[[Job[T]], None] | None
    ) -> Job[T]:
        """Take a job in. There is room, or the pool is closed."""
        if self._closed:
            self._move_up()
            raise PoolClosedError(CLOSED)
        if self._tasks is None:
            raise RuntimeError(NOT_OPEN)
        job = Job(self, fn, tell)
        self._jobs.append(job)
        self._move_up()
        return job

    def _has_room(self) -> bool:
        """Whether a job can come in; a closed pool has room for being refused."""
        inside = len(self._jobs) + len(self._running) + self._granted
        return self._closed or self._room is None or inside < self._room

    def _move_up(self) -> None:
        """Let queued jobs run and submitters in, as far as there is room."""
        while self._jobs and len(self._running) < self._workers:
            job = self._jobs.popleft()
            self._running.append(job)
            context, job._context = job._context, None
            assert context is not None
            assert self._tasks is not None
            # In the submitter's context: who runs here may be another job, at its end.
            context.run(self._tasks.start_soon, self._work, job)
        while self._line and self._has_room():
            place = self._line.popleft()
            place.is_granted = True
            self._granted += 1
            place.changed.set()
        if self._closed and not (self._jobs or self._running or self._streams):
            self._drained.set()

    async def _work(self, job: Job[Any]) -> None:
        """The body of a job's task."""
        await job._run()
        self._running.remove(job)
        # Before the outcome is told: whoever has seen it finds the room that the job took up.
        if self._cancel_on_error and job._has_failed():
            if self._failed is None:
                self._failed = job
            self.cancel()
        self._move_up()
        job._end()

    def _enlist(self, stream: Stream[Any]) -> None:
        """Start a stream's task."""
        if self._closed:
            raise PoolClosedError(CLOSED)
        if self._tasks is None:
            raise RuntimeError(NOT_OPEN)
        self._streams.append(stream)
        self._tasks.start_soon(stream._feed)

    def _delist(self, stream: Stream[Any]) -> None:
        """A stream's task is at its end."""
        self._streams.remove(stream)
        self._move_up()

    def _cancel_job(self, job: Job[Any]) -> bool:
        if job in self._jobs:
            self._jobs.remove(job)
            job._drop()
            self._move_up()
        elif job in self._running:
            job._scope.cancel()
        return not job._has_ended or isinstance(job._error, JobCancelledError)

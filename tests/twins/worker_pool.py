"""Known-bad worker pools: each a good one with a single planted defect.

The good ones conform: ``wp_good`` in asyncio and trio, and ``wp_good_threads``. Their seams are
the methods that twins replace.
"""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PATTERN = "worker_pool"
INTERRUPTING = {"fifo": "no", "cancel_running": "interrupted"}
FAILING = {**INTERRUPTING, "on_failure": "cancel_rest"}
BARGING = {"fifo": "no", "cancel_running": "runs_on"}

INSIDE: ContextVar[bool] = ContextVar("INSIDE", default=False)


class Refused(Exception):
    """The pool is closed or full, or the job was cancelled."""


class Job:
    """A job and its outcome."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.phase = "queued"
        self.value: object = None
        self.error: BaseException | None = None

    def end(self, value: object = None, error: BaseException | None = None) -> None:
        self.phase, self.value, self.error = "ended", value, error

    def answer(self) -> object:
        if self.phase == "cancelled":
            raise Refused
        if self.error is not None:
            raise self.error
        return self.value


class Books:
    """What both pools keep account of."""

    def __init__(self, workers: int, queue: int | None) -> None:
        if workers < 1:
            raise ValueError(workers)
        self.workers, self.queue = workers, queue
        self.jobs: list[Job] = []
        self.running: list[Job] = []
        self.closed = False

    def has_room(self) -> bool:
        inside = len(self.jobs) + len(self.running)
        return self.queue is None or inside < self.workers + self.queue

    def is_over(self) -> bool:
        return self.closed and not self.jobs and not self.running

    def check_open(self) -> None:
        if self.closed:
            raise Refused

    def next_job(self) -> Job:
        return self.jobs.pop(0)

    def drop(self, job: Job) -> bool:
        if job in self.jobs:
            self.jobs.remove(job)
            job.phase = "cancelled"
        return job.phase == "cancelled"

    def is_done(self, job: Job) -> bool:
        return job.phase in ("ended", "cancelled")

    def size(self) -> int:
        return self.workers


@quiesce.adapter(PATTERN, world=("asyncio", "trio"), name="wp_good", dialect=INTERRUPTING)
class Pool(Books):
    """A task for each running job; whoever waits looks again whenever something changes."""

    def __init__(self, workers: int, queue: int | None) -> None:
        super().__init__(workers, queue)
        self.changed = anyio.Event()
        self.scopes: dict[Job, anyio.CancelScope] = {}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as self.tasks:
            yield
            self.change(closed=True)

    def change(self, *, closed: bool = False) -> None:
        self.closed = self.closed or closed
        while self.jobs and len(self.running) < self.size():
            job = self.next_job()
            job.phase = "running"
            self.running.append(job)
            self.scopes[job] = anyio.CancelScope()
            self.tasks.start_soon(self.work, job)
        self.changed.set()
        self.changed = anyio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self.changed.wait()

    async def work(self, job: Job) -> None:
        INSIDE.set(True)
        with self.scopes[job] as scope:
            try:
                if not scope.cancel_called:
                    self.told(job, await job.work(), None)
            except Exception as error:
                self.told(job, None, error)
        if job.phase == "running":
            job.phase = "cancelled"
        self.running.remove(job)
        del self.scopes[job]
        self.change()

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        job.end(value, error)

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        await self.until(lambda: self.closed or self.has_room())
        return self.accept(work)

    async def try_submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        if not self.has_room():
            raise Refused
        return self.accept(work)

    def accept(self, work: Callable[[], Awaitable[object]]) -> Job:
        self.check_open()
        job = Job(work)
        self.jobs.append(job)
        self.change()
        return job

    async def result(self, job: Job) -> object:
        await self.until(lambda: self.is_done(job))
        return job.answer()

    async def cancel_job(self, job: Job) -> bool:
        if job in self.running:
            self.interrupt(job)
            return True
        found = self.drop(job)
        self.change()
        return found

    def interrupt(self, job: Job) -> None:
        self.scopes[job].cancel()

    async def close(self) -> None:
        self.change(closed=True)

    async def join(self) -> None:
        self.change(closed=True)
        await self.until(self.is_over)

    async def cancel(self) -> None:
        for job in [*self.jobs]:
            self.drop(job)
        for job in self.running:
            self.interrupt(job)
        self.change(closed=True)

    async def build(self, workers: int) -> None:
        type(self)(workers, 1)


def twin(name: str) -> Callable[[type[Pool]], type[Pool]]:
    return quiesce.adapter(PATTERN, world="asyncio", name=name, dialect=INTERRUPTING)


@quiesce.adapter(
    PATTERN, world="asyncio", name="wp_good_failing", lacks={"release"}, dialect=FAILING
)
class Failing(Pool):
    """The first error cancels the rest, and a wait raises it."""

    failure: Exception | None = None

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        super().told(job, value, error)
        if error is not None:
            self.failure = self.failure or error
            self.stop(job)

    def stop(self, failed: Job) -> None:
        for job in [*self.jobs]:
            self.drop(job)
        for job in self.running:
            if job is not failed:
                self.interrupt(job)
        self.change(closed=True)

    async def join(self) -> None:
        await super().join()
        if self.failure is not None:
            raise self.failure


def failing_twin(name: str) -> Callable[[type[Pool]], type[Pool]]:
    return quiesce.adapter(PATTERN, world="asyncio", name=name, lacks={"release"}, dialect=FAILING)


@failing_twin("wp_failure_is_ignored")
class FailureIsIgnored(Failing):
    """A wait raises the first error, but the rest goes on until then."""

    def stop(self, failed: Job) -> None:
        pass


@failing_twin("wp_failure_is_forgotten")
class FailureIsForgotten(Failing):
    """A failing job cancels the rest, and nobody hears why."""

    async def join(self) -> None:
        await Pool.join(self)


@twin("wp_extra_worker")
class ExtraWorker(Pool):
    """Counts from nought to its workers."""

    def size(self) -> int:
        return self.workers + 1


@twin("wp_idle_worker")
class IdleWorker(Pool):
    """Has one worker too few, where it has several."""

    def size(self) -> int:
        return max(1, self.workers - 1)


@twin("wp_outcome_swapped")
class OutcomeSwapped(Pool):
    """Has one place for outcomes, and whoever wakes last reads the latest."""

    latest: Job

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        super().told(job, value, error)
        self.latest = job

    async def result(self, job: Job) -> object:
        await self.until(lambda: self.is_done(job))
        return (job if job.phase == "cancelled" else self.latest).answer()


@twin("wp_outcome_never_arrives")
class OutcomeNeverArrives(Pool):
    """Takes a value of None for no value yet."""

    def is_done(self, job: Job) -> bool:
        return job.phase == "cancelled" or job.error is not None or job.value is not None


@twin("wp_hides_errors")
class HidesErrors(Pool):
    """A failing job returns None."""

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        job.end(value)


@twin("wp_last_in_first_out")
class LastInFirstOut(Pool):
    """A stack of jobs."""

    def next_job(self) -> Job:
        return self.jobs.pop()


@twin("wp_unbounded_queue")
class UnboundedQueue(Pool):
    """Accepts as many jobs as come."""

    def has_room(self) -> bool:
        return True


@twin("wp_refuses_although_there_is_room")
class RefusesAlthoughThereIsRoom(Pool):
    """try_submit wants a free worker, although the queue has a place."""

    async def try_submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        if len(self.running) >= self.workers:
            raise Refused
        return await super().try_submit(work)


@twin("wp_lost_job_at_close")
class LostJobAtClose(Pool):
    """Closing forgets what is queued."""

    async def close(self) -> None:
        self.jobs.clear()
        await super().close()


@twin("wp_accepts_after_close")
class AcceptsAfterClose(Pool):
    """Closing concerns those who wait for the end only."""

    cancelled = False

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        await self.until(lambda: self.cancelled or self.has_room())
        return self.accept(work)

    def check_open(self) -> None:
        if self.cancelled:
            raise Refused

    async def cancel(self) -> None:
        self.cancelled = True
        await super().cancel()


@twin("wp_starts_after_cancel")
class StartsAfterCancel(Pool):
    """The cancel reaches those jobs only that run."""

    async def cancel(self) -> None:
        for job in self.running:
            self.interrupt(job)
        self.change(closed=True)


@twin("wp_cancel_tells_no_job")
class CancelTellsNoJob(Pool):
    """The cancel leaves running jobs alone, although they could be told."""

    async def cancel(self) -> None:
        for job in [*self.jobs]:
            self.drop(job)
        self.change(closed=True)


@twin("wp_accepts_after_cancel")
class AcceptsAfterCancel(Pool):
    """The cancel concerns the jobs that are there."""

    async def cancel(self) -> None:
        closed = self.closed
        await super().cancel()
        self.closed = closed


@twin("wp_submitter_stuck_after_cancel")
class SubmitterStuckAfterCancel(Pool):
    """Who is blocked does not look whether the pool was cancelled."""

    cancelled = False

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        self.check_open()
        await self.until(lambda: not self.cancelled and (self.closed or self.has_room()))
        return self.accept(work)

    async def cancel(self) -> None:
        self.cancelled = True
        await super().cancel()


@twin("wp_worker_dies_on_error")
class WorkerDiesOnError(Pool):
    """The error ends the worker as well."""

    lost = 0

    def size(self) -> int:
        return self.workers - self.lost

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        super().told(job, value, error)
        self.lost += error is not None


@twin("wp_wait_early")
class WaitEarly(Pool):
    """Waits for an empty queue."""

    def is_over(self) -> bool:
        return not self.jobs


@twin("wp_wait_needs_a_job")
class WaitNeedsAJob(Pool):
    """Waits for the last job's end, which never comes where there was no job."""

    had_jobs = False

    def next_job(self) -> Job:
        self.had_jobs = True
        return super().next_job()

    def is_over(self) -> bool:
        return self.had_jobs and super().is_over()


@twin("wp_makes_a_pool_without_workers")
class MakesAPoolWithoutWorkers(Pool):
    """Leaves the number of workers unchecked."""

    async def build(self, workers: int) -> None:
        pass


@twin("wp_refuses_inside")
class RefusesInside(Pool):
    """Takes no jobs from its own jobs."""

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        if INSIDE.get():
            raise Refused
        return await super().submit(work)


@twin("wp_cancelled_job_runs")
class CancelledJobRuns(Pool):
    """A cancelled job stays in the queue, and the worker does not look."""

    async def cancel_job(self, job: Job) -> bool:
        return job in self.jobs or await super().cancel_job(job)


@twin("wp_cancel_says_yes_too_often")
class CancelSaysYesTooOften(Pool):
    """Says yes to a job that has ended."""

    async def cancel_job(self, job: Job) -> bool:
        return await super().cancel_job(job) or job.phase == "ended"


@twin("wp_close_waits")
class CloseWaits(Pool):
    """Closing waits for the running jobs."""

    async def close(self) -> None:
        await self.join()


@twin("wp_second_close_fails")
class SecondCloseFails(Pool):
    """Refuses to be closed again."""

    async def close(self) -> None:
        self.check_open()
        await super().close()


@twin("wp_keeps_jobs")
class KeepsJobs(Pool):
    """Remembers the jobs that have ended."""

    def told(self, job: Job, value: object, error: Exception | None) -> None:
        super().told(job, value, error)
        self.ended = [*getattr(self, "ended", ()), job]


@twin("wp_cancelled_submitters_job_runs")
class CancelledSubmittersJobRuns(Pool):
    """A submitter leaves his job at the door, and it is let in after he has gone."""

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        try:
            return await super().submit(work)
        except anyio.get_cancelled_exc_class():
            if not self.closed:
                self.jobs.append(Job(work))
            raise


@quiesce.adapter(PATTERN, world="threads", name="wp_good_threads", dialect=BARGING)
class ThreadPool(Books):
    """Threads that wait for one condition; blocked submitters race for room."""

    def __init__(self, workers: int, queue: int | None) -> None:
        super().__init__(workers, queue)
        self.changed = threading.Condition()
        self.threads: list[threading.Thread] = []

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        self.stop_accepting()
        for thread in self.threads:
            thread.join()

    def submit(self, work: Callable[[], Any]) -> Job:
        with self.changed:
            while not self.closed and not self.has_room():
                self.changed.wait()
            return self.accept(work)

    def try_submit(self, work: Callable[[], Any]) -> Job:
        with self.changed:
            if not self.has_room():
                raise Refused
            return self.accept(work)

    def accept(self, work: Callable[[], Any]) -> Job:
        self.check_open()
        job = Job(work)
        self.jobs.append(job)
        if len(self.threads) < self.size():
            self.threads.append(threading.Thread(target=self.work))
            self.threads[-1].start()
        self.changed.notify_all()
        return job

    def work(self) -> None:
        while (job := self.take()) is not None:
            survives = self.run(job)
            del job  # or it stays as long as the worker waits
            if not survives:
                return

    def run(self, job: Job) -> bool:
        value, error = None, None
        try:
            value = job.work()
        except BaseException as raised:
            error = raised
        with self.changed:
            self.running.remove(job)
            job.end(value, error)
            self.changed.notify_all()
        return self.survives(error)

    def take(self) -> Job | None:
        with self.changed:
            while not self.jobs:
                if self.closed:
                    return None
                self.changed.wait()
            job = self.next_job()
            job.phase = "running"
            self.running.append(job)
            return job

    def survives(self, error: BaseException | None) -> bool:
        return True

    def result(self, job: Job) -> object:
        with self.changed:
            while not self.is_done(job):
                self.changed.wait()
        return job.answer()

    def cancel_job(self, job: Job) -> bool:
        with self.changed:
            self.changed.notify_all()
            return self.drop(job)

    def stop_accepting(self, *, drop: bool = False) -> None:
        with self.changed:
            for job in [*self.jobs] if drop else ():
                self.drop(job)
            self.closed = True
            self.changed.notify_all()

    def close(self) -> None:
        self.stop_accepting()

    def join(self) -> None:
        self.stop_accepting()
        with self.changed:
            while not self.is_over():
                self.changed.wait()

    def cancel(self) -> None:
        self.stop_accepting(drop=True)

    def build(self, workers: int) -> None:
        type(self)(workers, 1)


def thread_twin(name: str) -> Callable[[type[ThreadPool]], type[ThreadPool]]:
    return quiesce.adapter(PATTERN, world="threads", name=name, dialect=BARGING)


@thread_twin("wp_double_take")
class DoubleTake(ThreadPool):
    """Looks at the first job and removes it later."""

    def next_job(self) -> Job:
        job = self.jobs[0]
        if len(self.threads) > 1:
            self.changed.release()
            self.changed.acquire()
        if job in self.jobs:
            self.jobs.remove(job)
        return job


@thread_twin("wp_worker_dies_of_a_panic")
class WorkerDiesOfAPanic(ThreadPool):
    """Whatever is no Exception ends the worker as well."""

    def survives(self, error: BaseException | None) -> bool:
        return error is None or isinstance(error, Exception)


@thread_twin("wp_workers_stay")
class WorkersStay(ThreadPool):
    """Ends without its workers: nobody tells them that the pool is closed."""

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield

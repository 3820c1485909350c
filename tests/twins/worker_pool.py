"""Known-bad worker pools: each a good one with a single planted defect.

The good ones conform: ``wp_good`` for threads and ``wp_good_async`` for asyncio and trio.
Their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PATTERN = "worker_pool"
ASYNC = ("asyncio", "trio")
BARGING = {"fifo": "no", "cancel_running": "runs_on"}
INTERRUPTING = {"fifo": "no", "cancel_running": "interrupted"}


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


@quiesce.adapter(PATTERN, world="threads", name="wp_good", dialect=BARGING)
class Pool(Books):
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

    def size(self) -> int:
        return self.workers

    def work(self) -> None:
        while (job := self.take()) is not None:
            try:
                outcome = job.work(), None
            except BaseException as error:
                outcome = None, error
            with self.changed:
                self.running.remove(job)
                self.told(job, *outcome)
                self.changed.notify_all()
            if not self.survives(outcome[1]):
                return

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

    def told(self, job: Job, value: object, error: BaseException | None) -> None:
        job.end(value, error)

    def survives(self, error: BaseException | None) -> bool:
        return True

    def result(self, job: Job) -> object:
        with self.changed:
            while not self.is_done(job):
                self.changed.wait()
        return job.answer()

    def is_done(self, job: Job) -> bool:
        return job.phase in ("ended", "cancelled")

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


def twin(name: str) -> Callable[[type[Pool]], type[Pool]]:
    return quiesce.adapter(PATTERN, world="threads", name=name, dialect=BARGING)


@twin("wp_extra_worker")
class ExtraWorker(Pool):
    """Counts from nought to its workers."""

    def size(self) -> int:
        return self.workers + 1


@twin("wp_idle_worker")
class IdleWorker(Pool):
    """Starts one worker too few, where it has several."""

    def size(self) -> int:
        return max(1, self.workers - 1)


@twin("wp_double_take")
class DoubleTake(Pool):
    """Looks at the first job and removes it later."""

    def next_job(self) -> Job:
        job = self.jobs[0]
        if len(self.threads) > 1:
            self.changed.release()
            self.changed.acquire()
        if job in self.jobs:
            self.jobs.remove(job)
        return job


@twin("wp_outcome_swapped")
class OutcomeSwapped(Pool):
    """Has one place for outcomes, and whoever wakes last reads the latest."""

    latest: Job

    def told(self, job: Job, value: object, error: BaseException | None) -> None:
        super().told(job, value, error)
        self.latest = job

    def result(self, job: Job) -> object:
        with self.changed:
            while not self.is_done(job):
                self.changed.wait()
            return (job if job.phase == "cancelled" else self.latest).answer()


@twin("wp_outcome_never_arrives")
class OutcomeNeverArrives(Pool):
    """Takes a value of None for no value yet."""

    def is_done(self, job: Job) -> bool:
        return job.phase == "cancelled" or job.error is not None or job.value is not None


@twin("wp_hides_errors")
class HidesErrors(Pool):
    """A failing job returns None."""

    def told(self, job: Job, value: object, error: BaseException | None) -> None:
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

    def try_submit(self, work: Callable[[], Any]) -> Job:
        with self.changed:
            if len(self.running) >= self.workers:
                raise Refused
        return super().try_submit(work)


@twin("wp_lost_job_at_close")
class LostJobAtClose(Pool):
    """Closing forgets what is queued."""

    def close(self) -> None:
        with self.changed:
            self.jobs.clear()
            super().close()


@twin("wp_accepts_after_close")
class AcceptsAfterClose(Pool):
    """Closing concerns the workers only; a submitter brings a new one along."""

    def has_room(self) -> bool:
        return self.cancelled or super().has_room()

    cancelled = False

    def submit(self, work: Callable[[], Any]) -> Job:
        with self.changed:
            while not self.has_room():
                self.changed.wait()
            return self.accept(work)

    def check_open(self) -> None:
        if self.cancelled:
            raise Refused

    def work(self) -> None:
        super().work()
        self.threads.remove(threading.current_thread())

    def cancel(self) -> None:
        self.cancelled = True
        super().cancel()


@twin("wp_starts_after_cancel")
class StartsAfterCancel(Pool):
    """Cancelling is closing."""

    def cancel(self) -> None:
        self.stop_accepting()


@twin("wp_submitter_stuck_after_cancel")
class SubmitterStuckAfterCancel(Pool):
    """Who is blocked does not look whether the pool was cancelled."""

    cancelled = False

    def submit(self, work: Callable[[], Any]) -> Job:
        with self.changed:
            self.check_open()
            while self.cancelled or not (self.closed or self.has_room()):
                self.changed.wait()
            return self.accept(work)

    def cancel(self) -> None:
        with self.changed:
            self.cancelled = True
            super().cancel()


@twin("wp_worker_dies_on_error")
class WorkerDiesOnError(Pool):
    """The error ends the loop of the worker as well."""

    def survives(self, error: BaseException | None) -> bool:
        return not isinstance(error, Exception)


@twin("wp_worker_dies_of_a_panic")
class WorkerDiesOfAPanic(Pool):
    """Whatever is no Exception ends the worker as well."""

    def survives(self, error: BaseException | None) -> bool:
        return error is None or isinstance(error, Exception)


@twin("wp_wait_early")
class WaitEarly(Pool):
    """Waits for an empty queue."""

    def is_over(self) -> bool:
        return not self.jobs


@twin("wp_wait_needs_a_job")
class WaitNeedsAJob(Pool):
    """Waits for the last job's end, which never comes where there was no job."""

    def is_over(self) -> bool:
        return bool(self.threads) and super().is_over()


@twin("wp_makes_a_pool_without_workers")
class MakesAPoolWithoutWorkers(Pool):
    """Leaves the number of workers unchecked."""

    def build(self, workers: int) -> None:
        pass


@twin("wp_refuses_inside")
class RefusesInside(Pool):
    """Takes no jobs from its own workers."""

    def submit(self, work: Callable[[], Any]) -> Job:
        if threading.current_thread() in self.threads:
            raise Refused
        return super().submit(work)


@twin("wp_cancelled_job_runs")
class CancelledJobRuns(Pool):
    """A cancelled job stays in the queue, and the worker does not look."""

    def cancel_job(self, job: Job) -> bool:
        with self.changed:
            return job in self.jobs


@twin("wp_cancel_says_yes_too_often")
class CancelSaysYesTooOften(Pool):
    """Says yes to a running job, which goes on."""

    def cancel_job(self, job: Job) -> bool:
        return super().cancel_job(job) or job in self.running


@twin("wp_close_waits")
class CloseWaits(Pool):
    """Closing waits for the running jobs."""

    def close(self) -> None:
        self.join()


@twin("wp_second_close_fails")
class SecondCloseFails(Pool):
    """Refuses to be closed again."""

    def close(self) -> None:
        self.check_open()
        super().close()


@twin("wp_workers_stay")
class WorkersStay(Pool):
    """Ends without its workers: nobody tells them that the pool is closed."""

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield


@quiesce.adapter(PATTERN, world=ASYNC, name="wp_good_async", dialect=INTERRUPTING)
class AsyncPool(Books):
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
        while self.jobs and len(self.running) < self.workers:
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
        job.phase = "cancelled"
        with self.scopes[job]:
            if not self.scopes[job].cancel_called:
                try:
                    job.end(await job.work())
                except Exception as error:
                    job.end(None, error)
        self.running.remove(job)
        self.change()

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
        await self.until(lambda: job not in self.jobs and job not in self.running)
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


@quiesce.adapter(PATTERN, world="asyncio", name="wp_cancel_tells_no_job", dialect=INTERRUPTING)
class CancelTellsNoJob(AsyncPool):
    """The cancel leaves running jobs alone, although they could be told."""

    def interrupt(self, job: Job) -> None:
        if not self.closed:
            super().interrupt(job)

    async def cancel(self) -> None:
        self.closed = True
        await super().cancel()


@quiesce.adapter(
    PATTERN, world="trio", name="wp_cancelled_submitters_job_runs", dialect=INTERRUPTING
)
class CancelledSubmittersJobRuns(AsyncPool):
    """A submitter leaves his job at the door, and it is let in after he has gone."""

    async def submit(self, work: Callable[[], Awaitable[object]]) -> Job:
        try:
            return await super().submit(work)
        except anyio.get_cancelled_exc_class():
            if not self.closed:
                self.jobs.append(Job(work))
            raise

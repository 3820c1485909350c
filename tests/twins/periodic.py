"""Known-bad periodic tasks: each a good one with a single planted defect.

The good ones come first: for asyncio in three dialects, and for threads.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PATTERN = "periodic"
SECOND = 10**9
ASYNC: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {"handler", "exit"},
    "dialect": {"overrun": "skip", "on_failure": "ends", "cancel_delivery": "cooperative"},
}
GOES_ON: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {"exit"},
    "dialect": {"overrun": "run_once", "on_failure": "continues", "cancel_delivery": "cooperative"},
}
CANCELS: dict[str, Any] = {
    **ASYNC,
    "dialect": {**ASYNC["dialect"], "cancel_delivery": "edge", "first_run": "at_once"},
}
THREADS: dict[str, Any] = {**ASYNC, "world": "threads", "lacks": {"handler", "reentrance_error"}}


@quiesce.adapter(PATTERN, name="tk_good_task", **ASYNC)
class Good:
    """A task that waits for its due time or for the stop, whichever comes first."""

    def __init__(
        self, period: int, work: Callable[[], Any], handler: Callable[[Exception], Any]
    ) -> None:
        self.period, self.work, self.handler = period, work, handler
        self.stopping, self.end = asyncio.Event(), asyncio.Event()
        self.error: BaseException | None = None

    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * SECOND)

    async def main(self) -> None:
        try:
            await self.loop(self.now() + self.period)
        except Exception as error:
            self.fail(error)
        finally:
            self.end.set()

    async def loop(self, due: int) -> None:
        while await self.is_due(due):
            await self.run()
            due = self.next_due(due)

    async def is_due(self, due: int) -> bool:
        try:
            async with asyncio.timeout_at(due / SECOND):
                await self.stopping.wait()
        except TimeoutError:
            return True
        return False

    async def run(self) -> None:
        await self.work()

    def next_due(self, due: int) -> int:
        return due + self.period * (1 + (self.now() - due) // self.period)

    def fail(self, error: Exception) -> None:
        self.error = error

    async def stop(self) -> None:
        self.stopping.set()

    async def wait(self) -> None:
        if asyncio.current_task() is self.task:
            raise RuntimeError("it would wait for ever")
        await self.end.wait()
        if self.error is not None:
            raise self.error

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.task = asyncio.create_task(self.main())
        yield
        self.stopping.set()
        await self.task


@quiesce.adapter(PATTERN, name="tk_good_task_goes_on", **GOES_ON)
class GoodGoesOn(Good):
    """A failed run goes to the handler, and a due time that met a run follows at once."""

    async def run(self) -> None:
        try:
            await self.work()
        except Exception as error:
            await self.handle(error)

    async def handle(self, error: Exception) -> None:
        await self.handler(error)

    def next_due(self, due: int) -> int:
        missed = (self.now() - due) // self.period
        return due + self.period * max(1, missed)


@quiesce.adapter(PATTERN, name="tk_good_task_cancelled", **CANCELS)
class GoodCancelled(Good):
    """Stop cancels the task, and the first run is due at once."""

    async def loop(self, due: int) -> None:
        await super().loop(due - self.period)

    async def stop(self) -> None:
        self.task.cancel()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.task = asyncio.create_task(self.main())
        yield
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@quiesce.adapter(
    PATTERN, name="tk_overlap", **{**ASYNC, "lacks": {"handler", "exit", "reentrance_error"}}
)
class Overlap(Good):
    """A run that lasts a whole period gets company."""

    async def run(self) -> None:
        runs = [asyncio.create_task(self.work())]
        await asyncio.wait(runs, timeout=self.period / SECOND)
        if not runs[0].done() and not self.stopping.is_set():
            runs.append(asyncio.create_task(self.work()))
        await asyncio.wait(runs)
        for run in runs:
            await run


@quiesce.adapter(PATTERN, name="tk_burst_after_long_run", **ASYNC)
class BurstAfterLongRun(Good):
    """All due times that a run outlasted are made up for."""

    def next_due(self, due: int) -> int:
        return due + self.period


@quiesce.adapter(PATTERN, name="tk_phase_lost_after_long_run", **ASYNC)
class PhaseLostAfterLongRun(Good):
    """After a long run the period begins anew."""

    def next_due(self, due: int) -> int:
        late = self.now() > due + self.period
        return self.now() + self.period if late else super().next_due(due)


@quiesce.adapter(PATTERN, name="tk_stop_waits_full_period", **ASYNC)
class StopWaitsFullPeriod(Good):
    """The loop looks at the stop when it wakes up for the next run."""

    async def is_due(self, due: int) -> bool:
        await asyncio.sleep(due / SECOND - self.now() / SECOND)
        return not self.stopping.is_set()


@quiesce.adapter(PATTERN, name="tk_run_after_stop", **ASYNC)
class RunAfterStop(Good):
    """The loop looks at the stop after each run only."""

    async def loop(self, due: int) -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(due / SECOND - self.now() / SECOND)
            await self.run()
            due = self.next_due(due)

    async def stop(self) -> None:
        self.stopping.set()
        self.end.set()


@quiesce.adapter(PATTERN, name="tk_wait_does_not_cover_run", **ASYNC)
class WaitDoesNotCoverRun(Good):
    """What was stopped counts as ended."""

    async def stop(self) -> None:
        self.stopping.set()
        self.end.set()


@quiesce.adapter(PATTERN, name="tk_stop_cancels_run", **ASYNC)
class StopCancelsRun(Good):
    """Stop cancels the run, which it declares to let end."""

    async def stop(self) -> None:
        self.stopping.set()
        if asyncio.current_task() is not self.task:
            self.task.cancel()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.task = asyncio.create_task(self.main())
        yield
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@quiesce.adapter(PATTERN, name="tk_dies_silently", **ASYNC)
class DiesSilently(Good):
    """The error of a run ends the loop, and nobody is told."""

    def fail(self, error: Exception) -> None:
        pass


@quiesce.adapter(PATTERN, name="tk_dies_despite_handler", **GOES_ON)
class DiesDespiteHandler(GoodGoesOn):
    """A failed run ends the task although there is a handler."""

    async def handle(self, error: Exception) -> None:
        raise error


@quiesce.adapter(PATTERN, name="tk_no_stop", **ASYNC)
class NoStop(Good):
    """After stop the loop does nothing any more, for ever."""

    async def main(self) -> None:
        await super().main()
        while True:
            await asyncio.sleep(self.period / SECOND)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.task = asyncio.create_task(self.main())
        yield
        self.stopping.set()
        await self.end.wait()


@quiesce.adapter(PATTERN, name="tk_stop_inside_blocks", **ASYNC)
class StopInsideBlocks(Good):
    """A run that stops its loop waits for its own end."""

    async def stop(self) -> None:
        await super().stop()
        if asyncio.current_task() is self.task:
            await self.end.wait()


@quiesce.adapter(PATTERN, name="tk_wait_inside_blocks", **ASYNC)
class WaitInsideBlocks(Good):
    """A run that waits for its loop waits for its own end."""

    async def wait(self) -> None:
        await self.end.wait()
        if self.error is not None:
            raise self.error


@quiesce.adapter(PATTERN, name="tk_stop_waits_for_run", **ASYNC)
class StopWaitsForRun(Good):
    """Stop from outside returns when all is over."""

    async def stop(self) -> None:
        await super().stop()
        if asyncio.current_task() is not self.task:
            await self.end.wait()


@quiesce.adapter(PATTERN, name="tk_loop_is_stopped_once", **ASYNC)
class StoppedOnce(Good):
    """What was stopped can't be stopped."""

    async def stop(self) -> None:
        if self.stopping.is_set():
            raise RuntimeError("stopped already")
        await super().stop()


@quiesce.adapter(PATTERN, name="tk_cancelled_wait_ends_loop", **ASYNC)
class CancelledWaitEndsLoop(Good):
    """A cancelled wait takes the loop along, as awaiting its task would."""

    async def wait(self) -> None:
        try:
            await super().wait()
        except asyncio.CancelledError:
            self.task.cancel()
            raise

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        with suppress(asyncio.CancelledError):
            async with super().lifespan():
                yield


@quiesce.adapter(PATTERN, name="tk_good_thread", **THREADS)
class GoodThread:
    """A thread that waits for its due time or for the stop, whichever comes first."""

    def __init__(
        self, period: int, work: Callable[[], Any], handler: Callable[[Exception], Any]
    ) -> None:
        self.period, self.work = period, work
        self.changed = threading.Condition()
        self.asked = False
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self.main)

    def main(self) -> None:
        try:
            self.loop(time.monotonic_ns() + self.period)
        except BaseException as error:
            self.error = error

    def loop(self, due: int) -> None:
        while self.is_due(due):
            self.work()
            due += self.period * (1 + (time.monotonic_ns() - due) // self.period)

    def is_due(self, due: int) -> bool:
        with self.changed:
            while not self.asked:
                left = due - time.monotonic_ns()
                if left <= 0:
                    return True
                self.changed.wait(left / SECOND)
            return False

    def stop(self) -> None:
        with self.changed:
            self.asked = True
            self.changed.notify_all()

    def wait(self) -> None:
        self.thread.join()
        if self.error is not None:
            raise self.error

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        self.thread.start()
        yield
        self.stop()
        self.thread.join()


@quiesce.adapter(PATTERN, name="tk_stop_missed_in_a_race", **THREADS)
class StopMissedInARace(GoodThread):
    """A stop between the look at it and the waiting wakes nobody."""

    def is_due(self, due: int) -> bool:
        while not self.asked:
            left = due - time.monotonic_ns()
            if left <= 0:
                return True
            with self.changed:
                self.changed.wait(left / SECOND)
        return False

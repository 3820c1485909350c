"""Known-bad background services: each a good one with a single planted defect.

The good ones come first: for asyncio, where the body is cancelled, and for threads, where it
is asked to end.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PATTERN = "service"
ASYNC: dict[str, Any] = {
    "world": "asyncio",
    "lacks": {"token", "exit"},
    "dialect": {"cancel_delivery": "edge", "start_twice": "refused", "reuse": "refused"},
}
ANEW: dict[str, Any] = {
    **ASYNC,
    "dialect": {"cancel_delivery": "edge", "start_twice": "ignored", "reuse": "allowed"},
}
THREADS: dict[str, Any] = {
    "world": "threads",
    "dialect": {"cancel_delivery": "cooperative", "start_twice": "refused", "reuse": "refused"},
}


class Run:
    """One run of a service."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.begun = self.asked = self.cleans = False
        self.end = asyncio.Event()
        self.error: BaseException | None = None
        self.body = asyncio.create_task(self.step(work))

    async def step(self, work: Callable[[], Any]) -> None:
        self.begun = True
        await work()


@quiesce.adapter(PATTERN, name="bg_good", **ASYNC)
class Good:
    """One task for the body, and one that waits for it and cleans up."""

    def __init__(self, work: Callable[[], Any], cleanup: Callable[[], Any]) -> None:
        self.work, self.cleanup = work, cleanup
        self.run: Run | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def follow(self, run: Run) -> None:
        await asyncio.wait([run.body])
        if not run.body.cancelled():
            run.error = run.body.exception()
        run.cleans = True
        try:
            await self.clean(run)
        except Exception as error:
            run.error = error
        finally:
            run.end.set()

    async def clean(self, run: Run) -> None:
        await self.cleanup()

    def begin(self) -> None:
        self.run = Run(self.work)
        self.tasks += [self.run.body, asyncio.create_task(self.follow(self.run))]

    async def start(self) -> None:
        if self.run is not None:
            raise RuntimeError("started already")
        self.begin()

    async def start_stop(self) -> None:
        await self.start()
        await self.stop()

    async def stop(self) -> None:
        if self.run is not None:
            self.ask(self.run)
            self.run.asked = True

    def ask(self, run: Run) -> None:
        run.body.cancel()

    async def wait(self) -> None:
        if (run := self.run) is not None:
            await run.end.wait()
            self.tell(run)

    def tell(self, run: Run) -> None:
        if run.error is not None:
            raise run.error

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)


@quiesce.adapter(PATTERN, name="bg_good_restarts", **ANEW)
class GoodRestarts(Good):
    """Starts anew after the end, and declares it."""

    async def start(self) -> None:
        if self.run is None or self.run.end.is_set():
            self.begin()


@quiesce.adapter(PATTERN, name="bg_restarts", **ASYNC)
class Restarts(Good):
    """Starts anew after the end, which it declares to refuse."""

    async def start(self) -> None:
        if self.run is not None and self.run.end.is_set():
            self.run = None
        await super().start()


@quiesce.adapter(PATTERN, name="bg_starts_twice", **ANEW)
class StartsTwice(Good):
    """A second start begins a second body beside the first."""

    async def start(self) -> None:
        self.begin()


@quiesce.adapter(PATTERN, name="bg_stop_lost_if_early", **ASYNC)
class StopLostIfEarly(Good):
    """A stop before the body's first step reaches nobody."""

    def ask(self, run: Run) -> None:
        if run.begun:
            super().ask(run)


@quiesce.adapter(PATTERN, name="bg_fire_and_forget", **ASYNC)
class FireAndForget(Good):
    """Start keeps nothing of the task, so there is nothing to stop and nothing to wait for."""

    async def start(self) -> None:
        await super().start()
        self.run = None


@quiesce.adapter(PATTERN, name="bg_wait_returns_at_once", **ASYNC)
class WaitReturnsAtOnce(Good):
    """Wait waits for a body that was stopped, and for none that runs."""

    async def wait(self) -> None:
        if self.run is not None and (self.run.asked or self.run.cleans):
            await super().wait()


@quiesce.adapter(PATTERN, name="bg_error_told_once", **ASYNC)
class ErrorToldOnce(Good):
    """The error goes to the first who asks after the end."""

    def tell(self, run: Run) -> None:
        error, run.error = run.error, None
        if error is not None:
            raise error


@quiesce.adapter(PATTERN, name="bg_cleanup_skipped_on_cancel", **ASYNC)
class CleanupSkippedOnCancel(Good):
    """A body that was cancelled is not cleaned up after."""

    async def clean(self, run: Run) -> None:
        if not run.body.cancelled():
            await super().clean(run)


@quiesce.adapter(PATTERN, name="bg_cleanup_skipped_on_error", **ASYNC)
class CleanupSkippedOnError(Good):
    """A body that failed is not cleaned up after."""

    async def clean(self, run: Run) -> None:
        if run.error is None:
            await super().clean(run)


@quiesce.adapter(PATTERN, name="bg_cleanup_twice", **ASYNC)
class CleanupTwice(Good):
    """After a stop the clean-up runs once for the stop and once for the end."""

    async def clean(self, run: Run) -> None:
        await super().clean(run)
        if run.asked:
            await super().clean(run)


@quiesce.adapter(PATTERN, name="bg_wait_before_cleanup", **ASYNC)
class WaitBeforeCleanup(Good):
    """The end is told before the clean-up."""

    async def clean(self, run: Run) -> None:
        run.end.set()
        await super().clean(run)


@quiesce.adapter(PATTERN, name="bg_step_never_hears_of_stop", **ASYNC)
class StepNeverHears(Good):
    """A stop waits its turn: a step that runs is left to end by itself."""

    def ask(self, run: Run) -> None:
        if not run.begun:
            super().ask(run)


@quiesce.adapter(PATTERN, name="bg_stop_waits", **ASYNC)
class StopWaits(Good):
    """Stop returns when all is over."""

    async def stop(self) -> None:
        await super().stop()
        if self.run is not None:
            await self.run.end.wait()


@quiesce.adapter(PATTERN, name="bg_second_stop_cancels_cleanup", **ASYNC)
class SecondStopCancelsCleanup(Good):
    """A second stop cancels what is left, and that is the clean-up."""

    def ask(self, run: Run) -> None:
        super().ask(run)
        if run.asked and run.cleans:
            self.tasks[-1].cancel()


@quiesce.adapter(PATTERN, name="bg_cancelled_wait_ends_task", **ASYNC)
class CancelledWaitEndsTask(Good):
    """A cancelled wait takes the body along, as awaiting its task would."""

    async def wait(self) -> None:
        try:
            await super().wait()
        except asyncio.CancelledError:
            if self.run is not None:
                self.run.body.cancel()
            raise


@quiesce.adapter(PATTERN, name="bg_good_threads", **THREADS)
class GoodThreads:
    """One thread for all of it."""

    def __init__(self, work: Callable[[], Any], cleanup: Callable[[], Any]) -> None:
        self.work, self.cleanup = work, cleanup
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.asked = False
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            try:
                self.work()
            finally:
                self.cleanup()
        except BaseException as error:
            self.keep(error)

    def keep(self, error: BaseException) -> None:
        self.error = error

    def start(self) -> None:
        with self.lock:
            if self.thread is not None:
                raise RuntimeError("started already")
            self.thread = threading.Thread(target=self.run)
            self.thread.start()

    def start_stop(self) -> None:
        self.start()
        self.stop()

    def stop(self) -> None:
        with self.lock:
            self.asked = self.thread is not None

    def stopping(self) -> bool:
        return self.asked

    def wait(self) -> None:
        with self.lock:
            thread = self.thread
        if thread is not None:
            thread.join()
        if self.error is not None:
            raise self.error

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        if self.thread is not None:
            self.thread.join()


@quiesce.adapter(PATTERN, name="bg_wait_does_not_cover_step", **THREADS)
class WaitDoesNotCoverStep(GoodThreads):
    """What was asked to end counts as ended."""

    def wait(self) -> None:
        if not self.asked:
            super().wait()


@quiesce.adapter(PATTERN, name="bg_exit_is_silent", **THREADS)
class ExitIsSilent(GoodThreads):
    """A body that exits its thread is said to have ended well."""

    def keep(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self.error = error

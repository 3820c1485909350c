"""Known-bad wait groups: each a good one with a single planted defect.

The good ones come first and conform: one for threads over a condition, and one for asyncio with a
future for each waiter.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import quiesce

PATTERN = "wait_group"
THREADS = {"world": "threads"}
AIO = {"world": "asyncio"}
NANOSECONDS = 1_000_000_000

Work = Callable[[], object]
AsyncWork = Callable[[], Awaitable[object]]


@quiesce.adapter(PATTERN, name="wg_good_threads", **THREADS)
class WaitGroup:
    """Waiters wait for the end of their round; a round is told apart by its number."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.added = 0
        self.functions = 0
        self.round = 0  # rounds that have ended
        self.waiters = 0
        self.errors: list[BaseException] = []
        self.told: list[BaseException] = []  # of the last round
        self.inside = threading.local()

    def add(self, n: int) -> None:
        with self.changed:
            if self.added + n < 0:
                self.negative(n)
            else:
                self.count(n, 0)

    def done(self) -> None:
        self.add(-1)

    def wait(self) -> None:
        with self.changed:
            if self.added or self.functions:
                self.wait_for_the_end(self.round, None)
            self.tell()

    def wait_within(self, timeout: int) -> bool:
        with self.changed:
            waits = self.added or self.functions
            if waits and not self.wait_for_the_end(self.round, timeout / NANOSECONDS):
                self.timed_out()
                return False
            self.tell()
            return True

    def go(self, work: Work) -> None:
        with self.changed:
            self.count(0, 1)
        threading.Thread(target=self.run, args=(work,)).start()

    def run(self, work: Work) -> None:
        try:
            work()
        except SystemExit:
            pass
        except BaseException as error:
            self.failed(error)
        with self.changed:
            self.count(0, -1)

    def negative(self, n: int) -> None:
        raise ValueError("more is done than was added")

    def timed_out(self) -> None:
        pass

    def failed(self, error: BaseException) -> None:
        with self.changed:
            self.errors.append(error)

    def count(self, added: int, functions: int) -> None:
        was_zero = not self.added and not self.functions
        self.added += added
        self.functions += functions
        is_zero = not self.added and not self.functions
        if was_zero and not is_zero:
            self.told = []
        elif is_zero and not was_zero:
            self.ended()

    def ended(self) -> None:
        self.round += 1
        if self.waiters:
            self.told, self.errors = self.errors, []
        self.changed.notify_all()

    def wait_for_the_end(self, number: int, timeout: float | None) -> bool:
        self.waiters += 1
        try:
            return self.changed.wait_for(lambda: self.round > number, timeout)
        finally:
            self.waiters -= 1

    def tell(self) -> None:
        self.told, self.errors = [*self.told, *self.errors], []
        if self.told:
            raise BaseExceptionGroup("functions failed", self.told)


@quiesce.adapter(PATTERN, name="wg_waits_at_zero", **THREADS)
class WaitsAtZero(WaitGroup):
    """Waits for the end of a round, also where none has begun."""

    def wait(self) -> None:
        with self.changed:
            self.wait_for_the_end(self.round, None)
            self.tell()


@quiesce.adapter(PATTERN, name="wg_negative_ignored", **THREADS)
class NegativeIgnored(WaitGroup):
    def negative(self, n: int) -> None:
        pass


@quiesce.adapter(PATTERN, name="wg_done_takes_a_function", **THREADS)
class DoneTakesAFunction(WaitGroup):
    def negative(self, n: int) -> None:
        if self.functions + n < 0:
            super().negative(n)
        self.count(0, n)


@quiesce.adapter(PATTERN, name="wg_not_reusable", **THREADS)
class NotReusable(WaitGroup):
    def wait_for_the_end(self, number: int, timeout: float | None) -> bool:
        return super().wait_for_the_end(0, timeout)


@quiesce.adapter(PATTERN, name="wg_new_round_recaptures", **THREADS)
class Recaptures(WaitGroup):
    """A waiter that wakes up looks at the counter, and not at its round."""

    def wait_for_the_end(self, number: int, timeout: float | None) -> bool:
        self.waiters += 1
        try:
            return self.changed.wait_for(lambda: not self.added and not self.functions, timeout)
        finally:
            self.waiters -= 1


@quiesce.adapter(PATTERN, name="wg_no_done_on_error", **THREADS)
class NoDoneOnError(WaitGroup):
    def failed(self, error: BaseException) -> None:
        super().failed(error)
        raise error


@quiesce.adapter(PATTERN, name="wg_loses_an_error", **THREADS)
class LosesAnError(WaitGroup):
    """Keeps the last error only."""

    def failed(self, error: BaseException) -> None:
        with self.changed:
            self.errors = [error]


@quiesce.adapter(PATTERN, name="wg_inner_go_uncounted", **THREADS)
class InnerGoUncounted(WaitGroup):
    """Takes a function's functions for a part of it."""

    def go(self, work: Work) -> None:
        if getattr(self.inside, "running", False):
            threading.Thread(target=work).start()
        else:
            super().go(work)

    def run(self, work: Work) -> None:
        self.inside.running = True
        super().run(work)


@quiesce.adapter(PATTERN, name="wg_timed_out_waiter_decrements", **THREADS)
class TimedOutDecrements(WaitGroup):
    def timed_out(self) -> None:
        if self.added:
            self.count(-1, 0)


@quiesce.adapter(PATTERN, name="wg_good_asyncio", **AIO)
class AioWaitGroup:
    """What was added and the functions that run are one counter; errors go to all who wait."""

    def __init__(self) -> None:
        self.added = 0
        self.functions = 0
        self.waiters: list[asyncio.Future[None]] = []
        self.errors: list[Exception] = []
        self.told = False
        self.tasks: set[asyncio.Task[None]] = set()

    def add(self, n: int) -> None:
        if self.added + n < 0:
            raise ValueError("more is done than was added")
        self.count(n, 0)

    def done(self) -> None:
        self.add(-1)

    def go(self, work: AsyncWork) -> None:
        self.count(0, 1)
        self.start(work)

    def start(self, work: AsyncWork) -> None:
        task = asyncio.ensure_future(self.run(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, work: AsyncWork) -> None:
        try:
            await work()
        except Exception as error:
            self.errors.append(error)
        finally:
            self.count(0, -1)

    async def wait(self) -> None:
        errors = self.errors
        if self.added or self.functions:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiters.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self.waiters:
                    self.waiters.remove(turn)
                    self.cancelled()
                raise
        else:
            self.told = True
        if errors:
            raise ExceptionGroup("functions failed", errors)

    async def wait_within(self, timeout: int) -> bool:
        try:
            async with asyncio.timeout(timeout / NANOSECONDS):
                await self.wait()
        except TimeoutError:
            return False
        return True

    def count(self, added: int, functions: int) -> None:
        was_zero = not self.added and not self.functions
        self.added += added
        self.functions += functions
        is_zero = not self.added and not self.functions
        if was_zero and not is_zero and self.told:
            self.errors, self.told = [], False
        elif is_zero and self.waiters:
            self.told = True
            self.release()

    def release(self) -> None:
        for turn in self.waiters:
            if not turn.done():
                turn.set_result(None)
        self.waiters.clear()

    def cancelled(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="wg_wakes_one", **AIO)
class WakesOne(AioWaitGroup):
    def release(self) -> None:
        turn = self.waiters.pop(0)
        if not turn.done():
            turn.set_result(None)


@quiesce.adapter(PATTERN, name="wg_returns_at_first_done", **AIO)
class ReturnsAtFirstDone(AioWaitGroup):
    def done(self) -> None:
        super().done()
        self.release()


@quiesce.adapter(PATTERN, name="wg_add_inside_task", **AIO)
class AddInsideTask(AioWaitGroup):
    """A function is counted when its task has come as far."""

    def go(self, work: AsyncWork) -> None:
        self.start(work)

    async def run(self, work: AsyncWork) -> None:
        await asyncio.sleep(0)
        self.count(0, 1)
        await super().run(work)


@quiesce.adapter(PATTERN, name="wg_cancelled_waiter_decrements", **AIO)
class CancelledDecrements(AioWaitGroup):
    def cancelled(self) -> None:
        if self.added:
            self.add(-1)


@quiesce.adapter(PATTERN, name="wg_dead_waiter_strands_others", **AIO)
class DeadWaiterStrands(AioWaitGroup):
    """Stops at the first waiter that was cancelled in the same moment."""

    def release(self) -> None:
        while self.waiters:
            turn = self.waiters.pop(0)
            if turn.done():
                return
            turn.set_result(None)

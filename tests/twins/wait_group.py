"""Known-bad wait groups: each a good one with a single planted defect.

The good ones conform: one for asyncio with a future for each waiter, and one for threads over a
condition, which runs no functions, for defects that only races and wake-ups show.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable

import quiesce

PATTERN = "wait_group"
AIO = {"world": "asyncio"}
THREADS = {"world": "threads", "lacks": {"go", "stop", "timeout"}}
NANOSECONDS = 1_000_000_000
INSIDE = contextvars.ContextVar("INSIDE", default=False)

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(PATTERN, name="wg_good_asyncio", **AIO)
class WaitGroup:
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
            self.negative(n)
        else:
            self.count(n, 0)

    def done(self) -> None:
        self.add(-1)

    def go(self, work: Work) -> None:
        self.count(0, 1)
        self.start(work)

    def start(self, work: Work) -> None:
        task = asyncio.ensure_future(self.run(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            self.failed(error)
        else:
            self.count(0, -1)

    def failed(self, error: Exception) -> None:
        self.errors.append(error)
        self.count(0, -1)

    async def wait(self) -> None:
        errors = self.errors
        if self.waits():
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiters.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self.waiters:
                    self.waiters.remove(turn)
                    self.left()
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
            self.timed_out()
            return False
        return True

    def waits(self) -> bool:
        return not self.is_zero()

    def is_zero(self) -> bool:
        return not self.added and not self.functions

    def count(self, added: int, functions: int) -> None:
        was_zero = self.is_zero()
        self.added += added
        self.functions += functions
        if was_zero and not self.is_zero() and self.told:
            self.errors, self.told = [], False
        elif self.is_zero() and self.waiters:
            self.told = True
            self.release()

    def release(self) -> None:
        for turn in self.waiters:
            if not turn.done():
                turn.set_result(None)
        self.waiters.clear()

    def negative(self, n: int) -> None:
        raise ValueError("more is done than was added")

    def left(self) -> None:
        pass

    def timed_out(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="wg_waits_at_zero", **AIO)
class WaitsAtZero(WaitGroup):
    """Waits for the counter to become zero, also where it is."""

    def waits(self) -> bool:
        return True


@quiesce.adapter(PATTERN, name="wg_wakes_one", **AIO)
class WakesOne(WaitGroup):
    def release(self) -> None:
        turn = self.waiters.pop(0)
        if not turn.done():
            turn.set_result(None)


@quiesce.adapter(PATTERN, name="wg_returns_at_first_done", **AIO)
class ReturnsAtFirstDone(WaitGroup):
    def done(self) -> None:
        super().done()
        self.release()


@quiesce.adapter(PATTERN, name="wg_dead_waiter_strands_others", **AIO)
class DeadWaiterStrands(WaitGroup):
    """Stops at the first waiter that was cancelled in the same moment."""

    def release(self) -> None:
        while self.waiters:
            turn = self.waiters.pop(0)
            if turn.done():
                return
            turn.set_result(None)


@quiesce.adapter(PATTERN, name="wg_negative_ignored", **AIO)
class NegativeIgnored(WaitGroup):
    def negative(self, n: int) -> None:
        pass


@quiesce.adapter(PATTERN, name="wg_done_takes_a_function", **AIO)
class DoneTakesAFunction(WaitGroup):
    def negative(self, n: int) -> None:
        if self.functions + n < 0:
            super().negative(n)
        self.count(0, n)


@quiesce.adapter(PATTERN, name="wg_not_reusable", **AIO)
class NotReusable(WaitGroup):
    """Once it was zero it lets everybody pass."""

    spent = False

    def waits(self) -> bool:
        return not self.spent and super().waits()

    def count(self, added: int, functions: int) -> None:
        was_zero = self.is_zero()
        super().count(added, functions)
        self.spent = self.spent or (self.is_zero() and not was_zero)


@quiesce.adapter(PATTERN, name="wg_add_inside_task", **AIO)
class AddInsideTask(WaitGroup):
    """A function is counted when its task has come as far."""

    def go(self, work: Work) -> None:
        self.start(work)

    async def run(self, work: Work) -> None:
        await asyncio.sleep(0)
        self.count(0, 1)
        await super().run(work)


@quiesce.adapter(PATTERN, name="wg_no_done_on_error", **AIO)
class NoDoneOnError(WaitGroup):
    def failed(self, error: Exception) -> None:
        self.errors.append(error)


@quiesce.adapter(PATTERN, name="wg_loses_an_error", **AIO)
class LosesAnError(WaitGroup):
    """Keeps the first error only."""

    def failed(self, error: Exception) -> None:
        if self.errors:
            self.count(0, -1)
        else:
            super().failed(error)


@quiesce.adapter(PATTERN, name="wg_inner_go_uncounted", **AIO)
class InnerGoUncounted(WaitGroup):
    """Takes a function's functions for a part of it."""

    def go(self, work: Work) -> None:
        if INSIDE.get():
            task = asyncio.ensure_future(work())
            self.tasks.add(task)
        else:
            super().go(work)

    async def run(self, work: Work) -> None:
        INSIDE.set(True)
        await super().run(work)


@quiesce.adapter(PATTERN, name="wg_cancelled_waiter_decrements", **AIO)
class CancelledDecrements(WaitGroup):
    def left(self) -> None:
        if self.added:
            self.add(-1)


@quiesce.adapter(PATTERN, name="wg_timed_out_waiter_decrements", **AIO)
class TimedOutDecrements(WaitGroup):
    def timed_out(self) -> None:
        if self.added:
            self.add(-1)


@quiesce.adapter(PATTERN, name="wg_good_threads", **THREADS)
class ThreadWaitGroup:
    """Waiters wait for the end of their round; a round is told apart by its number."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.added = 0
        self.round = 0  # rounds that have ended

    def add(self, n: int) -> None:
        with self.changed:
            if self.added + n < 0:
                raise ValueError("more is done than was added")
            was_zero = not self.added
            self.added += n
            if not self.added and not was_zero:
                self.round += 1
                self.changed.notify_all()

    def done(self) -> None:
        self.add(-1)

    def wait(self) -> None:
        with self.changed:
            if self.added:
                self.wait_for_the_end(self.round)

    def wait_for_the_end(self, number: int) -> None:
        while self.round == number:
            self.changed.wait()


@quiesce.adapter(PATTERN, name="wg_new_round_recaptures", **THREADS)
class Recaptures(ThreadWaitGroup):
    """A waiter that wakes up looks at the counter, and not at its round."""

    def wait_for_the_end(self, number: int) -> None:
        while self.added:
            self.changed.wait()


@quiesce.adapter(PATTERN, name="wg_looks_then_waits", **THREADS)
class LooksThenWaits(ThreadWaitGroup):
    """Looks at the counter under one hold of its lock, and waits under another."""

    def wait(self) -> None:
        with self.changed:
            added = self.added
        if added:
            with self.changed:
                self.changed.wait()

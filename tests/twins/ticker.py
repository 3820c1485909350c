"""Known-bad tickers: each a good one with a single planted defect.

The good ones come first, one with a timer for asyncio, one without any for threads.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATTERN = "ticker"
SECOND = 10**9
ASYNC: dict[str, Any] = {"world": "asyncio"}
THREADS: dict[str, Any] = {"world": "threads"}


def check(period: int) -> None:
    if period <= 0:
        raise ValueError(period)


@quiesce.adapter(PATTERN, name="tk_good", **ASYNC)
class Good:
    """A timer puts each tick into the one place, or hands it to whoever waits longest."""

    def __init__(self, period: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: list[asyncio.Future[int]] = []
        self.places: list[int] = []  # one of them, in the good one
        self.lost = False  # whether ticks were dropped since the one in the place
        self.timer: asyncio.TimerHandle | None = None
        self.start(period)

    def now(self) -> int:
        return round(self.loop.time() * SECOND)

    def start(self, period: int) -> None:
        self.period = period
        self.arm(self.now() + period)

    def arm(self, due: int) -> None:
        self.due = due
        self.timer = self.loop.call_at(due / SECOND, self.fire)

    def disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def fire(self) -> None:
        due = self.due
        self.arm(due + self.period)
        self.offer(due)

    def offer(self, tick: int) -> None:
        if self.waiting:
            self.waiting.pop(0).set_result(tick)
        elif not self.places:
            self.places.append(tick)
        else:
            self.lost = True

    def take(self) -> int:
        self.lost = False
        return self.places.pop(0)

    async def receive(self) -> int:
        if self.places:
            return self.take()
        future: asyncio.Future[int] = self.loop.create_future()
        self.waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            self.leave(future)
            raise

    def leave(self, future: asyncio.Future[int]) -> None:
        if future.cancelled():
            self.waiting.remove(future)
        else:
            self.places.append(future.result())

    async def stop(self) -> None:
        self.disarm()
        self.discard()

    def discard(self) -> None:
        self.places.clear()

    async def reset(self, period: int) -> None:
        check(period)
        self.disarm()
        self.discard()
        self.start(period)

    async def make(self, period: int) -> None:
        check(period)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        self.disarm()


@quiesce.adapter(PATTERN, name="tk_drift", **ASYNC)
class Drift(Good):
    """A tick that is taken late moves the following ones, although none was lost."""

    def take(self) -> int:
        if not self.lost:
            self.disarm()
            self.arm(self.now() + self.period)
        return super().take()


@quiesce.adapter(PATTERN, name="tk_immediate_tick", **ASYNC)
class ImmediateTick(Good):
    """The first tick lies there at once."""

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self.places.append(self.now())


@quiesce.adapter(PATTERN, name="tk_backlog_burst", **ASYNC)
class BacklogBurst(Good):
    """All ticks are kept for a receiver that stalls."""

    def offer(self, tick: int) -> None:
        if self.waiting:
            self.waiting.pop(0).set_result(tick)
        else:
            self.places.append(tick)


@quiesce.adapter(PATTERN, name="tk_phase_lost_after_stall", **ASYNC)
class PhaseLost(Good):
    """After a stall the period begins anew when the kept tick is taken."""

    def take(self) -> int:
        if self.lost:
            self.disarm()
            self.arm(self.now() + self.period)
        return super().take()


@quiesce.adapter(PATTERN, name="tk_tick_after_stop", **ASYNC)
class TickAfterStop(Good):
    """Stop lets the timer run: one more tick comes."""

    def fire(self) -> None:
        if self.period:
            super().fire()
        else:
            self.offer(self.due)

    async def stop(self) -> None:
        self.discard()
        self.period = 0


@quiesce.adapter(PATTERN, name="tk_kept_tick_survives_stop", **ASYNC)
class KeptTickSurvivesStop(Good):
    """Stop forgets the tick that was not taken."""

    async def stop(self) -> None:
        self.disarm()


@quiesce.adapter(PATTERN, name="tk_stale_tick_after_reset", **ASYNC)
class StaleTickAfterReset(Good):
    """Reset forgets the tick that was not taken."""

    async def reset(self, period: int) -> None:
        check(period)
        self.disarm()
        self.start(period)


@quiesce.adapter(PATTERN, name="tk_reset_leaves_it_stopped", **ASYNC)
class ResetLeavesItStopped(Good):
    """Reset changes the period of a stopped ticker, and does not start it."""

    async def reset(self, period: int) -> None:
        stopped = self.timer is None
        await super().reset(period)
        if stopped:
            self.disarm()


@quiesce.adapter(PATTERN, name="tk_takes_any_period", **ASYNC)
class TakesAnyPeriod(Good):
    """A period of nothing is taken for a second."""

    async def reset(self, period: int) -> None:
        await super().reset(period if period > 0 else SECOND)

    async def make(self, period: int) -> None:
        pass


@quiesce.adapter(PATTERN, name="tk_stop_ends_receivers", **ASYNC)
class StopEndsReceivers(Good):
    """Stop sends everybody away who waits, as if a channel were closed."""

    async def stop(self) -> None:
        await super().stop()
        while self.waiting:
            self.waiting.pop().set_exception(EOFError("stopped"))


@quiesce.adapter(PATTERN, name="tk_second_stop_raises", **ASYNC)
class SecondStopRaises(Good):
    """A stopped ticker can't be stopped."""

    async def stop(self) -> None:
        if self.timer is None:
            raise RuntimeError("stopped already")
        await super().stop()


@quiesce.adapter(PATTERN, name="tk_cancelled_receiver_takes_tick", **ASYNC)
class CancelledReceiverTakesTick(Good):
    """A receiver that was cancelled keeps its place in the queue."""

    def offer(self, tick: int) -> None:
        if self.waiting:
            future = self.waiting.pop(0)
            if not future.done():
                future.set_result(tick)
        else:
            super().offer(tick)

    def leave(self, future: asyncio.Future[int]) -> None:
        pass

    async def reset(self, period: int) -> None:
        self.waiting = [future for future in self.waiting if not future.done()]
        await super().reset(period)


@quiesce.adapter(PATTERN, name="tk_good_threads", **THREADS)
class GoodThreads:
    """Each receiver looks at the clock himself."""

    def __init__(self, period: int) -> None:
        self.changed = threading.Condition()
        self.start(period)

    def start(self, period: int) -> None:
        self.period = period
        self.due: int | None = time.monotonic_ns() + period

    def receive(self) -> int:
        with self.changed:
            while True:
                due, now = self.due, time.monotonic_ns()
                if due is not None and due <= now:
                    self.take(due, now)
                    return due
                self.changed.wait(None if due is None else (due - now) / SECOND)

    def take(self, due: int, now: int) -> None:
        self.due = due + self.period * (1 + (now - due) // self.period)

    def stop(self) -> None:
        with self.changed:
            self.due = None

    def reset(self, period: int) -> None:
        check(period)
        with self.changed:
            self.start(period)
            self.changed.notify_all()

    def make(self, period: int) -> None:
        check(period)


@quiesce.adapter(PATTERN, name="tk_two_take_one_tick", **THREADS)
class TwoTakeOneTick(GoodThreads):
    """A receiver lets go of the lock between looking at a tick and taking it."""

    def take(self, due: int, now: int) -> None:
        self.changed.release()
        self.changed.acquire()
        if self.due == due:
            super().take(due, now)

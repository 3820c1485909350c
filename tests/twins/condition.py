"""Known-bad conditions: each a good one with a single planted defect.

The good ones conform: ``co_good`` in asyncio and trio, ``co_good_threads``, and two that use a
freedom. Their seams are the methods that twins replace.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

import quiesce

PATTERN = "condition"
ASYNC: dict[str, Any] = {"lacks": {"timeout"}, "scope": "anyio"}
AIO: dict[str, Any] = {"world": "asyncio", **ASYNC}
THREADS: dict[str, Any] = {"world": "threads"}

Work = Callable[[], Awaitable[object]]


@quiesce.adapter(PATTERN, world=("asyncio", "trio"), name="co_good", **ASYNC)
class Condition:
    """A condition of tasks."""

    def __init__(self) -> None:
        self.lock = anyio.Lock(fast_acquire=True)
        self.owner: int | None = None
        self.waiters: list[anyio.Event] = []

    # The port.

    async def wait(self, work: Work) -> object:
        await self.enter()
        try:
            await self.pause()
            return await work()
        finally:
            self.leave()

    async def hold(self, work: Work) -> object:
        await self.enter()
        try:
            return await work()
        finally:
            self.leave()

    async def notify(self, n: int) -> None:
        await self.enter()
        self.wake(n)
        self.leave()

    async def notify_all(self) -> None:
        await self.enter()
        self.wake(len(self.waiters))
        self.leave()

    async def notify_here(self, n: int) -> None:
        self.check_notify()
        self.wake(n)

    async def wait_here(self) -> None:
        self.check_wait()
        await self.pause()

    # The seams.

    @property
    def mine(self) -> bool:
        return self.owner == anyio.get_current_task().id

    async def enter(self) -> None:
        await self.lock.acquire()
        self.owner = anyio.get_current_task().id

    def leave(self) -> None:
        if self.mine:
            self.owner = None
            self.lock.release()

    async def enter_again(self) -> None:
        cancellation: BaseException | None = None
        while not self.mine:
            try:
                with anyio.CancelScope(shield=True):
                    await self.enter()
            except anyio.get_cancelled_exc_class() as error:
                cancellation = error
        if cancellation is not None:
            raise cancellation

    def check_notify(self) -> None:
        if not self.mine:
            raise RuntimeError("notify without the lock")

    def check_wait(self) -> None:
        if not self.mine:
            raise RuntimeError("wait without the lock")

    async def pause(self) -> None:
        notified = anyio.Event()
        self.waiters.append(notified)
        self.give_up_lock()
        try:
            try:
                await notified.wait()
            except BaseException:
                await self.enter_cancelled()
                raise
            await self.enter_notified()
        except BaseException:
            if notified.is_set():
                self.pass_on()
            else:
                self.waiters.remove(notified)
                self.left()
            raise

    def give_up_lock(self) -> None:
        self.leave()

    async def enter_notified(self) -> None:
        await self.enter_again()

    async def enter_cancelled(self) -> None:
        await self.enter_again()

    def pass_on(self) -> None:
        self.wake(1)

    def left(self) -> None:
        pass

    def wake(self, n: int) -> None:
        for notified in self.waiters[:n]:
            notified.set()
        del self.waiters[:n]


@quiesce.adapter(PATTERN, name="co_good_spurious", dialect={"spurious_wakeup": "yes"}, **AIO)
class Spurious(Condition):
    """Whoever is cancelled wakes another one, to be sure."""

    def left(self) -> None:
        self.wake(1)


@quiesce.adapter(PATTERN, name="co_good_unordered", dialect={"fifo": "no"}, **AIO)
class Unordered(Condition):
    """It wakes those who came last, and never said otherwise."""

    def wake(self, n: int) -> None:
        self.waiters.reverse()
        super().wake(n)
        self.waiters.reverse()


@quiesce.adapter(PATTERN, name="co_lifo", **AIO)
class Lifo(Unordered):
    pass


@quiesce.adapter(PATTERN, name="co_returns_without_lock", **AIO)
class ReturnsWithoutLock(Condition):
    async def enter_notified(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_wait_keeps_lock", **AIO)
class WaitKeepsLock(Condition):
    def give_up_lock(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_notify_lost_on_cancel", **AIO)
class LostOnCancel(Condition):
    def pass_on(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_notify_wakes_one", **AIO)
class WakesOne(Condition):
    def wake(self, n: int) -> None:
        super().wake(min(n, 1))


@quiesce.adapter(PATTERN, name="co_cancel_without_lock", **AIO)
class CancelWithoutLock(Condition):
    async def enter_cancelled(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_notify_unowned_ok", **AIO)
class NotifyUnowned(Condition):
    def check_notify(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_wait_unowned_ok", **AIO)
class WaitUnowned(Condition):
    def check_wait(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="co_refused_wait_counts", **AIO)
class RefusedWaitCounts(Condition):
    def check_wait(self) -> None:
        if not self.mine:
            self.waiters.append(anyio.Event())
        super().check_wait()


class Waiter:
    """A thread that waits."""

    def __init__(self) -> None:
        self.notified = False
        self.event = threading.Event()


@quiesce.adapter(PATTERN, name="co_good_threads", **THREADS)
class Threaded:
    """A condition of threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner: int | None = None
        self.waiters: list[Waiter] = []

    # The port.

    def wait(self, work: Callable[[], object]) -> object:
        self.enter()
        try:
            self.pause(None)
            return work()
        finally:
            self.leave()

    def wait_within(self, timeout: int, work: Callable[[], object]) -> tuple[bool, object]:
        self.enter()
        try:
            return self.pause(timeout / 1e9), work()
        finally:
            self.leave()

    def hold(self, work: Callable[[], object]) -> object:
        self.enter()
        try:
            return work()
        finally:
            self.leave()

    def notify(self, n: int) -> None:
        self.enter()
        self.wake(n)
        self.leave()

    def notify_all(self) -> None:
        self.enter()
        self.wake(len(self.waiters))
        self.leave()

    def notify_here(self, n: int) -> None:
        self.check()
        self.wake(n)

    def wait_here(self) -> None:
        self.check()
        self.pause(None)

    # The seams.

    def enter(self) -> None:
        self.lock.acquire()
        self.owner = threading.get_ident()

    def leave(self) -> None:
        if self.owner == threading.get_ident():
            self.owner = None
            self.lock.release()

    def check(self) -> None:
        if self.owner != threading.get_ident():
            raise RuntimeError("this thread does not hold the lock")

    def pause(self, timeout: float | None) -> bool:
        waiter = Waiter()
        self.waiters.append(waiter)
        self.leave()
        in_time = waiter.event.wait(timeout)
        self.enter_again(in_time)
        if not waiter.notified:
            self.waiters.remove(waiter)
        return self.answer(waiter, in_time)

    def enter_again(self, in_time: bool) -> None:
        self.enter()

    def answer(self, waiter: Waiter, in_time: bool) -> bool:
        return waiter.notified

    def wake(self, n: int) -> None:
        for waiter in self.waiters[:n]:
            waiter.notified = True
            waiter.event.set()
        del self.waiters[:n]


@quiesce.adapter(PATTERN, name="co_notify_spent_on_timed_out", **THREADS)
class SpentOnTimedOut(Threaded):
    def answer(self, waiter: Waiter, in_time: bool) -> bool:
        return in_time


@quiesce.adapter(PATTERN, name="co_timed_out_without_lock", **THREADS)
class TimedOutWithoutLock(Threaded):
    def enter_again(self, in_time: bool) -> None:
        if in_time:
            self.enter()

"""Known-bad onces: each a good one with a single planted defect.

The good ones conform: ``on_good`` in asyncio and trio, ``on_good_detached`` in asyncio and
``on_good_threads``, with a variant for each way to treat errors. Their seams are the methods
that twins replace.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel

import quiesce

PATTERN = "once"
ASYNC = ("asyncio", "trio")
STORED = {"once_error": "stored", "once_cancel": "retry"}
SILENT = {"once_error": "done_silently", "once_cancel": "retry"}
RETRY = {"once_error": "retry", "once_cancel": "retry"}
NO_OWN = {"own_function"}

Work = Callable[[], Awaitable[object]]


class Outcome:
    """What an execution left behind."""

    work: Any  # the function, until it has an outcome
    done = False
    value: object = None
    error: BaseException | None = None

    def succeeded(self, value: object) -> None:
        self.done, self.value = True, value
        self.release()

    def failed(self, error: Exception) -> None:
        self.done, self.error = True, error.with_traceback(None)
        self.release()

    def release(self) -> None:
        self.work = None

    def answer(self) -> object:
        if self.error is not None:
            raise self.error
        return self.value


@quiesce.adapter(PATTERN, world=ASYNC, name="on_good", lacks=NO_OWN, dialect=STORED)
class Once(Outcome):
    """The function runs in the caller that came first; the others wait for an event."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.runner: int | None = None
        self.ended = anyio.Event()

    async def call(self) -> object:
        while not self.done:
            if self.runner is None:
                return await self.execute()
            if self.runner == anyio.get_current_task().id:
                return await self.reenter()
            await self.ended.wait()
        return self.answer()

    async def reenter(self) -> object:
        raise RuntimeError("the function calls its own object")

    async def execute(self) -> object:
        self.runner = anyio.get_current_task().id
        try:
            value = await self.work()
        except Exception as error:
            self.failed(error)
            return self.own_error(error)
        except BaseException as error:
            self.interrupted(error)
            raise
        else:
            self.succeeded(value)
        finally:
            self.runner = None
            self.wake()
        return self.answer()

    def own_error(self, error: Exception) -> object:
        raise error

    def interrupted(self, error: BaseException) -> None:
        pass

    def wake(self) -> None:
        self.ended.set()
        self.ended = anyio.Event()


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_good_silent", lacks={*NO_OWN, "value"}, dialect=SILENT
)
class Silent(Once):
    """An error goes to its own caller; the object is done."""

    def succeeded(self, value: object) -> None:
        super().succeeded(None)

    def failed(self, error: Exception) -> None:
        self.succeeded(None)


@quiesce.adapter(PATTERN, world=ASYNC, name="on_good_retry", lacks=NO_OWN, dialect=RETRY)
class Retry(Once):
    """An error goes to its own caller; the next one tries again."""

    def failed(self, error: Exception) -> None:
        pass


@quiesce.adapter(PATTERN, world=ASYNC, name="on_good_own", lacks={"release"}, dialect=STORED)
class Own(Once):
    """Each caller may bring a function of its own."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self.given = work

    async def call(self) -> object:
        return await self.call_own(self.given)

    async def call_own(self, work: Work) -> object:
        while not self.done:
            if self.runner is None:
                self.work = work
                return await self.execute()
            if self.runner == anyio.get_current_task().id:
                return await self.reenter()
            await self.ended.wait()
        return self.answer()

    def release(self) -> None:
        pass


@quiesce.adapter(
    PATTERN,
    world="asyncio",
    name="on_good_detached",
    lacks={*NO_OWN, "reentrance_error"},
    dialect={"once_error": "stored", "once_cancel": "detached"},
)
class Detached(Outcome):
    """The function runs in a task of its own."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.task: asyncio.Task[None] | None = None

    async def call(self) -> object:
        if self.done:
            return self.answer()
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self.execute())
            await asyncio.shield(self.task)
        else:
            await self.join(self.task)
        return self.answer()

    async def execute(self) -> None:
        try:
            self.succeeded(await self.work())
        except Exception as error:
            self.failed(error)

    async def join(self, task: asyncio.Task[None]) -> None:
        await asyncio.shield(task)


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_good_threads",
    lacks=NO_OWN,
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class Threaded(Outcome):
    """The function runs in the thread that came first; the others wait on a condition."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.runner: int | None = None
        self.changed = threading.Condition(threading.Lock())

    def call(self) -> object:
        with self.changed:
            self.await_turn()
            if self.done:
                return self.answer()
            self.runner = threading.get_ident()
        return self.execute()

    def await_turn(self) -> None:
        while self.runner is not None:
            if self.runner == threading.get_ident():
                raise RuntimeError("the function calls its own object")
            self.changed.wait()

    def execute(self) -> object:
        try:
            value = self.work()
        except Exception as error:
            self.ends(self.failed, error)
            raise
        except BaseException as error:
            self.ends(self.interrupted, error)
            raise
        self.ends(self.succeeded, value)
        return value

    def interrupted(self, error: BaseException) -> None:
        pass

    def ends(self, settle: Callable[[Any], None], outcome: object) -> None:
        with self.changed:
            settle(outcome)
            self.runner = None
            self.wake()

    def wake(self) -> None:
        self.changed.notify_all()


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_good_retry_threads",
    lacks=NO_OWN,
    dialect={"once_error": "retry", "once_cancel": "none"},
)
class RetryThreaded(Threaded):
    """An error goes to its own caller; the next one tries again."""

    def failed(self, error: Exception) -> None:
        pass


# ON-01


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_check_then_act",
    lacks={*NO_OWN, "reentrance_error", "release"},
    dialect={"once_error": "retry", "once_cancel": "none"},
)
class CheckThenAct(Outcome):
    """No lock: whoever finds it not done runs the function."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work

    def release(self) -> None:
        pass

    def call(self) -> object:
        if not self.done:
            self.succeeded(self.work())
        return self.value


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_none_is_not_done", lacks={*NO_OWN, "release"}, dialect=STORED
)
class NoneIsNotDone(Once):
    """The value itself is the flag."""

    def succeeded(self, value: object) -> None:
        self.done, self.value = value is not None, value


# ON-02


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_runs_the_latest_function", lacks={"release"}, dialect=STORED
)
class RunsTheLatest(Own):
    """The function is passed through the object, with a checkpoint in between."""

    async def call_own(self, work: Work) -> object:
        self.latest = work
        return await super().call_own(self.run_latest)

    async def run_latest(self) -> object:
        await anyio.lowlevel.checkpoint()
        return await self.latest()


# ON-03


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="on_flag_before_call",
    lacks={*NO_OWN, "value", "reentrance_error", "release"},
    dialect=SILENT,
)
class FlagBeforeCall:
    """The first one sets the flag, then runs the function."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.done = False

    async def call(self) -> None:
        if self.done:
            return
        self.done = True
        try:
            await self.work()
        except Exception:
            raise
        except BaseException:
            self.done = False
            raise


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_flag_before_call",
    lacks={*NO_OWN, "value", "reentrance_error", "release"},
    dialect={"once_error": "done_silently", "once_cancel": "none"},
)
class ThreadedFlagBeforeCall:
    """The same, with a lock around the flag only."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.done = False
        self.lock = threading.Lock()

    def call(self) -> None:
        with self.lock:
            first, self.done = not self.done, True
        if not first:
            return
        try:
            self.work()
        except Exception:
            raise
        except BaseException:
            self.done = False
            raise


# ON-04


@quiesce.adapter(PATTERN, world=ASYNC, name="on_late_caller_waits", lacks=NO_OWN, dialect=STORED)
class LateCallerWaits(Once):
    """Whoever comes after the end waits for the next one, which never comes."""

    async def call(self) -> object:
        while self.done or self.runner is not None:
            if self.runner == anyio.get_current_task().id:
                return await self.reenter()
            await self.ended.wait()
            if self.done:
                return self.answer()
        return await self.execute()


# ON-05, ON-06


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_retry_after_error", lacks={*NO_OWN, "value"}, dialect=SILENT
)
class RetryAfterError(Silent):
    """An error leaves the object not done."""

    def failed(self, error: Exception) -> None:
        pass


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_wrapper_forgets_error", lacks=NO_OWN, dialect=STORED
)
class ForgetsError(Once):
    """Only the caller that executes gets the error; the others get an empty value."""

    def failed(self, error: Exception) -> None:
        self.succeeded(None)


# ON-07


@quiesce.adapter(
    PATTERN, world=ASYNC, name="on_reentrant_runs_twice", lacks={*NO_OWN, "release"}, dialect=STORED
)
class ReentrantRunsTwice(Once):
    """A call from inside finds itself to be the one that executes, and executes."""

    async def reenter(self) -> object:
        return await self.execute()

    def release(self) -> None:
        pass


# ON-09


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_waits_without_a_loop",
    lacks=NO_OWN,
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class WaitsWithoutALoop(Threaded):
    """A caller that arrives wakes everybody, and a woken one does not look again."""

    def call(self) -> object:
        with self.changed:
            self.changed.notify_all()
            if self.runner == threading.get_ident():
                raise RuntimeError("the function calls its own object")
            if self.runner is not None:
                self.changed.wait()
                if self.runner is not None:
                    return self.value
            if self.done:
                return self.answer()
            self.runner = threading.get_ident()
        return self.execute()


# ON-10, ON-11


@quiesce.adapter(PATTERN, world=ASYNC, name="on_keeps_function", lacks=NO_OWN, dialect=STORED)
class KeepsFunction(Once):
    """The function stays an attribute."""

    def release(self) -> None:
        pass


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_class_wide_lock",
    lacks={*NO_OWN, "reentrance_error"},
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class ClassWideLock(Outcome):
    """One lock for all objects, held while a function runs."""

    lock = threading.Lock()

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work

    def call(self) -> object:
        if self.done:
            return self.answer()
        with self.lock:
            if not self.done:
                try:
                    self.succeeded(self.work())
                except Exception as error:
                    self.failed(error)
        return self.answer()


# ON-12, ON-13, ON-14


@quiesce.adapter(
    PATTERN,
    world="asyncio",
    name="on_waiter_cancel_kills_execution",
    lacks={*NO_OWN, "reentrance_error"},
    dialect={"once_error": "stored", "once_cancel": "detached"},
)
class WaiterKills(Detached):
    """Waiters await the task itself, and awaiting a task hands cancellations on to it."""

    async def join(self, task: asyncio.Task[None]) -> None:
        try:
            await task
        except asyncio.CancelledError:
            self.task = None
            raise


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="on_executor_cancel_strands_waiters",
    lacks=NO_OWN,
    dialect=STORED,
)
class StrandsWaiters(Once):
    """Waiters are woken by an outcome only."""

    def wake(self) -> None:
        if self.done:
            super().wake()


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="on_two_takers_after_cancel",
    lacks={*NO_OWN, "reentrance_error", "release"},
    dialect=STORED,
)
class TwoTakers(Once):
    """Whoever is woken without an outcome executes, and does not look whether another does."""

    async def call(self) -> object:
        if self.runner is not None and not self.done:
            await self.ended.wait()
        return self.answer() if self.done else await self.execute()

    def release(self) -> None:
        pass


@quiesce.adapter(
    PATTERN, world="asyncio", name="on_stores_cancellation", lacks=NO_OWN, dialect=STORED
)
class StoresCancellation(Once):
    """Whatever ends the function is its outcome."""

    def interrupted(self, error: BaseException) -> None:
        self.done, self.error = True, error


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="on_stores_exit",
    lacks=NO_OWN,
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class StoresExit(Threaded):
    """Whatever ends the function is its outcome."""

    def interrupted(self, error: BaseException) -> None:
        self.done, self.error = True, error


# ON-15


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="on_overlapping_retries",
    lacks={*NO_OWN, "reentrance_error", "release"},
    dialect=RETRY,
)
class OverlappingRetries(Retry):
    """After an error all waiters try again at once; after a cancellation one does."""

    alone = False

    async def call(self) -> object:
        while not self.done and self.runner is not None:
            await self.ended.wait()
            if not self.alone:
                break
        return self.answer() if self.done else await self.execute()

    def failed(self, error: Exception) -> None:
        self.alone = False

    def interrupted(self, error: BaseException) -> None:
        self.alone = True

    def release(self) -> None:
        pass


# UN-01, UN-03, UN-05


@quiesce.adapter(PATTERN, world="asyncio", name="un_leaks_a_task", lacks=NO_OWN, dialect=STORED)
class LeaksATask(Once):
    """Each object keeps a task that waits for ever."""

    async def call(self) -> object:
        if not hasattr(self, "watcher"):
            self.watcher = asyncio.get_running_loop().create_task(asyncio.Event().wait())
        return await super().call()


@quiesce.adapter(
    PATTERN,
    world="threads",
    name="un_loses_a_wakeup",
    lacks=NO_OWN,
    dialect={"once_error": "stored", "once_cancel": "none"},
)
class LosesAWakeup(Threaded):
    """The end wakes one waiter, and there may be more."""

    def wake(self) -> None:
        self.changed.notify()


@quiesce.adapter(
    PATTERN, world=ASYNC, name="un_hides_an_error", lacks={*NO_OWN, "value"}, dialect=SILENT
)
class HidesAnError(Silent):
    """The caller that executes returns normally, and the error is gone."""

    def own_error(self, error: Exception) -> object:
        return None

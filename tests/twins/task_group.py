"""Known-bad task groups: each a good one with a single planted defect.

The good ones conform: ``tg_good_threads`` is a plain group with a scope, ``tg_good_all`` tells
every error and cancels nothing, ``tg_good`` is a structured group on anyio, and
``tg_good_tasks`` one of asyncio's tasks.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

import quiesce

PATTERN = "task_group"
ASYNC = ("asyncio", "trio")
STRUCTURED = {"run", "cancel_child", "immediate", "coroutines"}
GO_LIKE = {"errors": "first", "on_failure": "cancel_rest", "blocked_start_on_cancel": "runs"}
ALL = {"errors": "all", "on_failure": "continue"}

Work = Callable[[], object]
AsyncWork = Callable[[], Coroutine[Any, Any, object]]


async def now() -> None:
    """Return at once."""


async def fail() -> None:
    """Fail at once."""
    raise LookupError


@quiesce.adapter(
    PATTERN, world="threads", name="tg_good_threads", lacks=STRUCTURED, dialect=GO_LIKE
)
class Plain:
    """A plain group with a scope: the first error ends it."""

    def __init__(self, limit: int | None) -> None:
        self.limit = None if limit is None or limit < 0 else limit
        lock = threading.Lock()
        self.slot_freed = threading.Condition(lock)
        self.idle = threading.Condition(lock)
        self.lock = lock
        self.slots = 0  # taken
        self.running = 0
        self.errors: list[BaseException] = []
        self.ended = False
        self.clean = False  # it ended without an error

    # Starting.

    def go(self, work: Work) -> None:
        with self.lock:
            while not self.has_room():
                self.slot_freed.wait()
            self.take()
        self.start(work)

    def try_go(self, work: Work) -> bool:
        with self.lock:
            if not self.has_room():
                return False
            self.take()
        self.start(work)
        return True

    def has_room(self) -> bool:
        return self.limit is None or self.slots < self.limit

    def take(self) -> None:
        self.slots += 1
        self.running += 1

    def start(self, work: Work) -> None:
        threading.Thread(target=self.execute, args=(work,)).start()

    def execute(self, work: Work) -> None:
        try:
            work()
        except BaseException as error:
            self.failed(error)
        else:
            self.done()

    def failed(self, error: BaseException) -> None:
        with self.lock:
            self.errors.append(error)
        self.done()

    def done(self) -> None:
        with self.lock:
            self.free_slot()
            self.end()

    def free_slot(self) -> None:
        self.slots -= 1
        self.slot_freed.notify_all()

    def end(self) -> None:
        self.running -= 1
        if not self.running:
            self.idle.notify_all()

    # Waiting.

    def wait(self) -> None:
        with self.lock:
            while self.must_wait():
                self.idle.wait()
            self.ended = True
            self.clean = self.clean or not self.errors
            self.report()

    def must_wait(self) -> bool:
        return self.running > 0

    def report(self) -> None:
        if self.errors:
            raise self.errors[0]

    # The scope and the limit.

    def look(self) -> bool:
        with self.lock:
            if self.errors and not self.clean:
                raise self.errors[0]
            return self.ended

    def go_then_look(self, work: Work) -> bool:
        self.go(work)
        return self.look()

    def set_limit(self, limit: int | None) -> None:
        with self.lock:
            self.check_idle()
            self.limit = limit
            self.slot_freed.notify_all()  # with the limit 0 some may have waited

    def check_idle(self) -> None:
        if self.running:
            raise RuntimeError("functions run")


@quiesce.adapter(
    PATTERN, world="threads", name="tg_good_all", lacks={*STRUCTURED, "look"}, dialect=ALL
)
class All(Plain):
    """A plain group that tells all errors, and cancels nothing."""

    def report(self) -> None:
        if self.errors:
            raise BaseExceptionGroup("errors", self.errors)


#: What most defects don't need.
EXTRAS = {"look", "limit", "limit_zero", "set_limit", "try"}


def plain(name: str, *has: str) -> Callable[[type], type]:
    """A twin of the plain group, with these extras."""
    lacks = STRUCTURED | EXTRAS.difference(has)
    return quiesce.adapter(PATTERN, world="threads", name=name, lacks=lacks, dialect=GO_LIKE)


def tells_all(name: str) -> Callable[[type], type]:
    """A twin of the plain group that tells all errors."""
    return quiesce.adapter(
        PATTERN, world="threads", name=name, lacks=STRUCTURED | EXTRAS, dialect=ALL
    )


@plain("tg_wait_early")
class WaitsEarly(Plain):
    """It does not wait for the last function."""

    def must_wait(self) -> bool:
        return self.running > 1

    def end(self) -> None:
        self.running -= 1
        self.idle.notify_all()


@plain("tg_last_error")
class LastError(Plain):
    """It keeps the last error."""

    def report(self) -> None:
        if self.errors:
            raise self.errors[-1]


@plain("tg_cancel_at_wait_only", "look")
class CancelsAtWaitOnly(Plain):
    """The scope is done when somebody has waited, and not before."""

    def look(self) -> bool:
        return super().look() if self.ended else False


@plain("tg_success_leaves_scope_open", "look")
class SuccessLeavesScopeOpen(Plain):
    """Only an error ends the scope."""

    def look(self) -> bool:
        super().look()
        return False


@tells_all("tg_error_stops_rest")
class ErrorStopsRest(All):
    """After an error nothing starts."""

    def start(self, work: Work) -> None:
        if self.errors:
            self.done()
        else:
            super().start(work)


@tells_all("tg_error_lost_when_two_fail")
class ErrorLost(All):
    """An error takes the place of another."""

    def failed(self, error: BaseException) -> None:
        with self.lock:
            self.errors = [error]
        self.done()


@plain("tg_limit_plus_one", "limit")
class LimitPlusOne(Plain):
    """One function too many runs."""

    def go(self, work: Work) -> None:
        with self.lock:
            while (self.limit is not None and self.slots > self.limit > 0) or self.limit == 0:
                self.slot_freed.wait()
            self.take()
        self.start(work)


@plain("tg_slot_before_error", "look", "limit")
class SlotBeforeError(Plain):
    """The slot is free before the error is known."""

    def failed(self, error: BaseException) -> None:
        with self.lock:
            self.free_slot()
        with self.lock:
            self.errors.append(error)
            self.end()


@plain("tg_slot_leak_on_error", "limit")
class SlotLeak(Plain):
    """A function that fails keeps its slot."""

    def failed(self, error: BaseException) -> None:
        with self.lock:
            self.errors.append(error)
            self.end()


@plain("tg_drops_blocked_start", "limit", "look")
class DropsBlockedStart(Plain):
    """A start that waited finds the scope cancelled, and gives up."""

    def go(self, work: Work) -> None:
        with self.lock:
            waited = False
            while not self.has_room():
                waited = True
                self.slot_freed.wait()
            if waited and self.errors:
                self.slot_freed.notify_all()
                return
            self.take()
        self.start(work)


@plain("tg_try_blocks", "limit", "try")
class TryBlocks(Plain):
    """A try-start waits for a slot."""

    def try_go(self, work: Work) -> bool:
        self.go(work)
        return True


@plain("tg_try_ignores_limit", "limit", "try")
class TryIgnoresLimit(Plain):
    """A try-start always starts."""

    def try_go(self, work: Work) -> bool:
        with self.lock:
            self.take()
        self.start(work)
        return True


@plain("tg_limit_zero_is_none", "limit", "limit_zero")
class ZeroIsNone(Plain):
    """The limit 0 is taken for none."""

    def __init__(self, limit: int | None) -> None:
        super().__init__(limit or None)


@plain("tg_limit_change_unchecked", "set_limit")
class LimitChangeUnchecked(Plain):
    """Only functions that took a slot of a limited group keep the limit from changing."""

    def check_idle(self) -> None:
        if self.limit is not None:
            super().check_idle()


@plain("tg_inside_refused")
class InsideRefused(Plain):
    """A function of the group may not start another."""

    def __init__(self, limit: int | None) -> None:
        super().__init__(limit)
        self.threads: set[int] = set()

    def execute(self, work: Work) -> None:
        self.threads.add(threading.get_ident())
        try:
            super().execute(work)
        finally:
            self.threads.discard(threading.get_ident())

    def go(self, work: Work) -> None:
        if threading.get_ident() in self.threads:
            raise RuntimeError("from inside")
        super().go(work)


@plain("tg_reuse_forgets_error")
class ReuseForgetsError(Plain):
    """When the group is used again, its errors are forgotten."""

    def take(self) -> None:
        if self.ended and not self.running:
            self.errors.clear()
        super().take()


@plain("tg_one_waiter")
class OneWaiter(Plain):
    """The end wakes one of those who wait."""

    def end(self) -> None:
        self.running -= 1
        if not self.running:
            self.idle.notify()


@plain("tg_panic_strands")
class PanicStrands(Plain):
    """Only exceptions are caught, and what blows up never counts as ended."""

    def execute(self, work: Work) -> None:
        try:
            work()
        except SystemExit as error:
            self.failed(error)
        except Exception as error:
            self.failed(error)
        except BaseException:
            pass
        else:
            self.done()


@plain("tg_exit_swallowed")
class ExitSwallowed(Plain):
    """A function that exits its thread counts as success."""

    def failed(self, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            self.done()
        else:
            super().failed(error)


@plain("tg_leaves_a_task")
class LeavesATask(Plain):
    """A thread that nobody stops watches over the group."""

    def start(self, work: Work) -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        super().start(work)


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="tg_good",
    scope="anyio",
    lacks={"wait", "look", "set_limit", "coroutines"},
    dialect={"errors": "all", "aborting": "refuses"},
)
class Structured:
    """A structured group on anyio's, with a limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = None if limit is None or limit < 0 else limit
        self.running = 0
        self.waiting: deque[Turn] = deque()
        self.entered = False
        self.closed = True

    async def run(self, work: AsyncWork) -> object:
        if self.entered:
            raise RuntimeError("one block at a time")
        self.entered, self.closed = True, False
        self.leaving = False
        try:
            async with anyio.create_task_group() as self.inner:
                try:
                    value = await work()
                except BaseException:
                    self.abort()
                    raise
                finally:
                    self.leave()
        finally:
            self.entered = False
        return value

    def leave(self) -> None:
        self.leaving = True
        if not self.running:
            self.abort()

    def abort(self) -> None:
        self.closed = True
        for turn in self.waiting:
            turn.came.set()
        self.waiting.clear()

    async def go(self, work: AsyncWork) -> anyio.CancelScope:
        if self.closed:
            raise RuntimeError("closed")
        if self.has_room():
            return self.start(work)
        turn = Turn(work)
        self.waiting.append(turn)
        try:
            await turn.came.wait()
        except BaseException:
            self.withdraw(turn)
            raise
        if turn.scope is None:
            raise RuntimeError("closed")
        return turn.scope

    def withdraw(self, turn: Turn) -> None:
        if turn.scope is not None:
            turn.scope.cancel()
        elif turn in self.waiting:
            self.waiting.remove(turn)

    async def try_go(self, work: AsyncWork) -> bool:
        if self.closed:
            raise RuntimeError("closed")
        if not self.has_room():
            return False
        self.start(work)
        return True

    def has_room(self) -> bool:
        return self.limit is None or self.running < self.limit

    def start(self, work: AsyncWork) -> anyio.CancelScope:
        scope = anyio.CancelScope()
        self.running += 1
        self.inner.start_soon(self.execute, work, scope)
        return scope

    async def execute(self, work: AsyncWork, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await work()
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self.done()

    def failed(self, error: BaseException) -> None:
        self.abort()

    def done(self) -> None:
        self.running -= 1
        if self.waiting and self.has_room() and not self.closed:
            turn = self.waiting.popleft()
            turn.scope = self.start(turn.work)
            turn.came.set()
        if self.leaving and not self.running:
            self.abort()

    async def cancel_child(self, child: anyio.CancelScope) -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)


class Turn:
    """A start that waits for a slot."""

    def __init__(self, work: AsyncWork) -> None:
        self.work = work
        self.came = anyio.Event()
        self.scope: anyio.CancelScope | None = None


@quiesce.adapter(
    PATTERN,
    world=ASYNC,
    name="tg_cancelled_start_runs",
    scope="anyio",
    lacks={"wait", "look", "set_limit", "coroutines"},
    dialect={"errors": "all", "aborting": "refuses"},
)
class CancelledStartRuns(Structured):
    """A start that is cancelled as it gets its slot leaves its function running."""

    def withdraw(self, turn: Turn) -> None:
        if turn in self.waiting:
            self.waiting.remove(turn)


TASKS = {"wait", "look", "limit", "limit_zero", "set_limit", "try"}


def of_tasks(name: str) -> Callable[[type], type]:
    """A structured group of asyncio's tasks, or a twin of it."""
    return quiesce.adapter(
        PATTERN, world="asyncio", name=name, lacks=TASKS, dialect={"errors": "all"}
    )


@of_tasks("tg_good_tasks")
class Tasks:
    """A structured group of asyncio's tasks; its body is one of them."""

    def __init__(self, limit: None) -> None:
        self.entered = False
        self.closed = True
        self.tasks: set[asyncio.Task[object]] = set()
        self.refused: list[Coroutine[Any, Any, object]] = []

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for coroutine in self.refused:
                coroutine.close()

    async def run(self, work: AsyncWork) -> object:
        if self.entered:
            raise RuntimeError("one block at a time")
        self.entered, self.closed = True, False
        self.errors: list[BaseException] = []
        self.body = self.spawn(work())
        cancelled = False
        while self.must_wait():
            try:
                await asyncio.wait(self.tasks)
            except asyncio.CancelledError:
                cancelled = True
                self.abort()
        self.closed, self.entered = True, False
        if self.errors:
            raise BaseExceptionGroup("errors", self.errors)
        if cancelled:
            return self.end_cancelled()
        return self.body.result()

    def must_wait(self) -> bool:
        return bool(self.tasks)

    def end_cancelled(self) -> object:
        raise asyncio.CancelledError

    def spawn(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.ended)
        return task

    def ended(self, task: asyncio.Task[object]) -> None:
        self.tasks.discard(task)
        if task.cancelled():
            self.child_cancelled()
        elif (error := task.exception()) is not None:
            self.failed(task, error)

    def child_cancelled(self) -> None:
        pass

    def failed(self, task: asyncio.Task[object], error: BaseException) -> None:
        self.errors.append(error)
        self.abort()

    def abort(self) -> None:
        self.closed = True
        for task in self.tasks:
            task.cancel()

    async def go(self, work: AsyncWork) -> asyncio.Task[object]:
        coroutine = work()
        if self.closed:
            self.refuse(coroutine)
            raise RuntimeError("closed")
        return self.spawn(coroutine)

    def refuse(self, coroutine: Coroutine[Any, Any, object]) -> None:
        coroutine.close()

    async def unclosed(self) -> int:
        return len(self.refused)

    async def cancel_child(self, child: asyncio.Task[object]) -> None:
        child.cancel()

    async def go_now(self) -> None:
        await self.go(now)

    async def fail_now(self) -> None:
        await self.go(fail)


@of_tasks("tg_leaves_early")
class LeavesEarly(Tasks):
    """The block waits for its body only."""

    def must_wait(self) -> bool:
        return bool(self.tasks) if self.closed else not self.body.done()


@of_tasks("tg_error_aborts_nothing")
class ErrorAbortsNothing(Tasks):
    """A child that fails cancels nobody."""

    def failed(self, task: asyncio.Task[object], error: BaseException) -> None:
        if task is self.body:
            super().failed(task, error)
        else:
            self.errors.append(error)


@of_tasks("tg_drops_panic")
class DropsPanic(Tasks):
    """Only exceptions count as errors."""

    def failed(self, task: asyncio.Task[object], error: BaseException) -> None:
        if isinstance(error, Exception):
            super().failed(task, error)
        else:
            self.abort()


@of_tasks("tg_orphan_on_body_error")
class OrphanOnBodyError(Tasks):
    """When the body fails, the block is left, and the children go on."""

    def failed(self, task: asyncio.Task[object], error: BaseException) -> None:
        if task is self.body:
            self.errors.append(error)
            self.closed = True
            self.orphans, self.tasks = self.tasks, set()
        else:
            super().failed(task, error)

    def must_wait(self) -> bool:
        return bool(self.tasks) and not (self.body.done() and self.closed and self.errors)


@of_tasks("tg_swallow_parent_cancel")
class SwallowsParentCancel(Tasks):
    """A cancellation of the block ends it as if nothing was."""

    def end_cancelled(self) -> object:
        return None


@of_tasks("tg_child_cancel_is_error")
class ChildCancelIsError(Tasks):
    """A child that was cancelled alone aborts the group."""

    def child_cancelled(self) -> None:
        if not self.closed:
            self.errors.append(RuntimeError("cancelled"))
            self.abort()


@of_tasks("tg_eager_child_missed")
class EagerChildMissed(Tasks):
    """A child that fails before it first waits is forgotten."""

    async def fail_now(self) -> None:
        if self.closed:
            raise RuntimeError("closed")
        with suppress(LookupError):
            await fail()


@of_tasks("tg_takes_late_start")
class TakesLateStart(Tasks):
    """What is started too late is forgotten, and nobody told."""

    async def go(self, work: AsyncWork) -> asyncio.Task[object]:
        if not self.closed:
            return await super().go(work)
        return asyncio.create_task(now())  # something that can be cancelled


@of_tasks("tg_forgets_refused_coroutine")
class ForgetsRefusedCoroutine(Tasks):
    """The coroutine of a start that was refused stays open."""

    def refuse(self, coroutine: Coroutine[Any, Any, object]) -> None:
        self.refused.append(coroutine)

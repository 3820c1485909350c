"""Known-bad contexts: each a good one with a single planted defect.

The good ones come first, for asyncio and for threads, and conform. They push ends down the
tree and keep timers, so they are built unlike the reference, which reads ends upwards. Their
seams are the methods that twins replace. Errors are their kinds; a cause that nobody gave is
the error's kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import quiesce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PATTERN = "context"
SECOND = 1_000_000_000


class Scope:
    """One node. Its fields are the tree's business."""

    def __init__(self, kind: str, bindings: tuple[tuple[str, object], ...] = ()) -> None:
        self.kind = kind
        self.parent: Scope | None = None
        self.children: dict[Scope, None] = {}
        self.bindings = bindings
        self.own: int | None = None
        self.brings: object = "deadline"
        self.timer: Any = None
        self.done = False
        self.error: str | None = None
        self.cause: object = None
        self.waiters: list[Any] = []
        self.callbacks: list[Callback] = []


class Callback:
    """One registration."""

    def __init__(self, work: Callable[[], Any], scope: Scope) -> None:
        self.work: Callable[[], Any] | None = work
        self.scope = scope


@quiesce.adapter(PATTERN, world="asyncio", name="cx_good_asyncio")
class Tree:
    def __init__(self) -> None:
        self.lock: Any = contextlib.nullcontext()
        self.base = Scope("background")
        self.made: list[Any] = []  # timers, to be stopped at the end

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        yield
        for timer in self.made:
            timer.cancel()

    # What worlds do differently.

    def now(self) -> int:
        return round(asyncio.get_running_loop().time() * SECOND)

    def call_at(self, at: int, function: Callable[[], None]) -> Any:
        return asyncio.get_running_loop().call_at(at / SECOND, function)

    def run(self, work: Callable[[], Any]) -> None:
        asyncio.get_running_loop().create_task(work())

    async def wait(self, of: Scope, timeout: int | None) -> bool:
        if self.is_done(of):
            return True
        event = asyncio.Event()
        of.waiters.append(event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if timeout is None else timeout / SECOND):
                await event.wait()
        return self.is_done(of)

    # What all share.

    def background(self) -> Scope:
        return self.base

    def with_cancel(self, of: Scope) -> Scope:
        return self.adopt(of, Scope("cancel", of.bindings))

    def with_deadline(self, of: Scope, delay: int, caused: bool, item: int) -> Scope:
        child = Scope("deadline", of.bindings)
        child.own = self.now() + delay
        child.brings = item if caused else "deadline"
        return self.adopt(of, child)

    def with_value(self, of: Scope, key: str, empty: bool, item: int) -> Scope:
        binding = (key, None if empty else item)
        return self.adopt(of, Scope("value", (binding, *of.bindings)))

    def with_function(self, of: Scope, work: Callable[[], Any]) -> Scope:
        return self.adopt(of, Scope("value", (("function", work), *of.bindings)))

    def without_cancel(self, of: Scope) -> Scope:
        return Scope("detached", of.bindings)

    def adopt(self, parent: Scope, child: Scope) -> Scope:
        with self.lock:
            child.parent = parent
            if parent.done:
                self.born_done(parent, child)
            else:
                self.register(parent, child)
        return child

    def born_done(self, parent: Scope, child: Scope) -> None:
        self.mark(child, parent.error, parent.cause)

    def register(self, parent: Scope, child: Scope) -> None:
        parent.children[child] = None
        if child.own is None:
            return
        if child.own <= self.now():
            self.past(child)
        else:
            child.timer = self.call_at(self.due(child.own), lambda: self.expire(child))
            self.made.append(child.timer)

    def past(self, child: Scope) -> None:
        self.finish(child, "deadline", child.brings)

    def due(self, deadline: int) -> int:
        return deadline

    def expire(self, scope: Scope) -> None:
        with self.lock:
            self.finish(scope, "deadline", scope.brings)

    def cancel(self, of: Scope, caused: bool, item: int) -> str | None:
        with self.lock:
            if of.done:
                self.again(of, item if caused else "cancelled")
            else:
                self.finish(of, "cancelled", item if caused else "cancelled")
        return of.error

    def again(self, scope: Scope, cause: object) -> None:
        pass

    def finish(self, scope: Scope, error: str | None, cause: object) -> None:
        """End a live scope; the lock is held."""
        self.mark(scope, error, cause)
        self.unlink(scope)
        self.stop_timer(scope)
        for event in self.woken(scope):
            event.set()
        for child in self.reached(scope):
            if not child.done:
                self.finish(child, error, self.inherited(cause, error))
        for callback in scope.callbacks:
            self.begin(callback)

    def mark(self, scope: Scope, error: str | None, cause: object) -> None:
        scope.done, scope.error, scope.cause = True, error, cause

    def unlink(self, scope: Scope) -> None:
        if scope.parent is not None:
            scope.parent.children.pop(scope, None)

    def stop_timer(self, scope: Scope) -> None:
        if scope.timer is not None:
            scope.timer.cancel()
            self.made.remove(scope.timer)
            scope.timer = None

    def woken(self, scope: Scope) -> list[Any]:
        return scope.waiters

    def reached(self, scope: Scope) -> list[Scope]:
        return [*scope.children]

    def inherited(self, cause: object, error: str | None) -> object:
        return cause

    def begin(self, callback: Callback) -> None:
        work, callback.work = callback.work, None
        if work is not None:
            self.run(work)

    def is_done(self, of: Scope) -> bool:
        with self.lock:
            return of.done

    def error_of(self, of: Scope) -> str | None:
        with self.lock:
            return of.error

    def cause_of(self, of: Scope) -> object:
        with self.lock:
            return of.cause

    def look(self, of: Scope) -> tuple[object, ...]:
        before = self.is_done(of)
        return ("look", before, self.error_of(of), self.cause_of(of), self.is_done(of))

    def deadline(self, of: Scope) -> tuple[object, ...]:
        dues, scope = [], of
        while scope is not None:
            dues += [] if scope.own is None else [scope.own]
            scope = scope.parent
        return ("due", min(dues, default=None))

    def value(self, of: Scope, key: str) -> tuple[object, ...]:
        return ("bound", next((item for name, item in of.bindings if name == key), None))

    def after(self, of: Scope, work: Callable[[], Any]) -> Callback:
        callback = Callback(work, of)
        with self.lock:
            if of.done:
                self.begin(callback)
            else:
                of.callbacks.append(callback)
        return callback

    def stop(self, callback: Callback) -> bool:
        with self.lock:
            prevented, callback.work = callback.work is not None, None
        return prevented


@quiesce.adapter(PATTERN, world="threads", name="cx_good_threads")
class ThreadTree(Tree):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        for timer in self.made:
            timer.cancel()

    def now(self) -> int:
        return time.monotonic_ns()

    def call_at(self, at: int, function: Callable[[], None]) -> Any:
        timer = threading.Timer((at - self.now()) / SECOND, function)
        timer.start()
        return timer

    def run(self, work: Callable[[], Any]) -> None:
        threading.Thread(target=work).start()

    def wait(self, of: Scope, timeout: int | None) -> bool:
        event = threading.Event()
        with self.lock:
            of.waiters.append(event)
            if of.done:
                return True
        return event.wait(None if timeout is None else timeout / SECOND) or self.is_done(of)


AIO = {"world": "asyncio"}
THREADS = {"world": "threads"}


@quiesce.adapter(PATTERN, name="cx_born_done", **AIO)
class BornDone(Tree):
    def with_value(self, of: Scope, key: str, empty: bool, item: int) -> Scope:
        child = super().with_value(of, key, empty, item)
        self.mark(child, "cancelled", "cancelled")
        return child


@quiesce.adapter(PATTERN, name="cx_cancels_later", **AIO)
class CancelsLater(Tree):
    def cancel(self, of: Scope, caused: bool, item: int) -> str | None:
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: super(CancelsLater, self).cancel(of, caused, item))
        return of.error


@quiesce.adapter(PATTERN, name="cx_last_cause_wins", **AIO)
class LastCauseWins(Tree):
    def again(self, scope: Scope, cause: object) -> None:
        self.mark(scope, "cancelled", cause)


@quiesce.adapter(PATTERN, name="cx_cancel_replaces_deadline", **AIO)
class CancelReplacesDeadline(Tree):
    def again(self, scope: Scope, cause: object) -> None:
        if scope.error == "deadline":
            self.mark(scope, "cancelled", cause)


@quiesce.adapter(PATTERN, name="cx_deadline_replaces_cancel", **AIO)
class DeadlineReplacesCancel(Tree):
    def stop_timer(self, scope: Scope) -> None:
        pass

    def expire(self, scope: Scope) -> None:
        if scope.done:
            self.mark(scope, "deadline", scope.brings)
        else:
            super().expire(scope)


@quiesce.adapter(PATTERN, name="cx_no_descend", **AIO)
class NoDescend(Tree):
    def reached(self, scope: Scope) -> list[Scope]:
        return []


@quiesce.adapter(PATTERN, name="cx_reaches_children_only", **AIO)
class ReachesChildrenOnly(Tree):
    def cancel(self, of: Scope, caused: bool, item: int) -> str | None:
        self.cancelled = of
        return super().cancel(of, caused, item)

    def reached(self, scope: Scope) -> list[Scope]:
        return super().reached(scope) if scope in (getattr(self, "cancelled", None), None) else []


@quiesce.adapter(PATTERN, name="cx_stops_at_values", **AIO)
class StopsAtValues(Tree):
    def reached(self, scope: Scope) -> list[Scope]:
        return [] if scope.kind == "value" else super().reached(scope)


@quiesce.adapter(PATTERN, name="cx_climbs", **AIO)
class Climbs(Tree):
    def finish(self, scope: Scope, error: str | None, cause: object) -> None:
        super().finish(scope, error, cause)
        parent = scope.parent
        if parent is not None and parent is not self.base and not parent.done:
            self.finish(parent, error, cause)


@quiesce.adapter(PATTERN, name="cx_takes_siblings", **AIO)
class TakesSiblings(Tree):
    def cancel(self, of: Scope, caused: bool, item: int) -> str | None:
        siblings = [] if of.done or of.parent is None else [*of.parent.children]
        error = super().cancel(of, caused, item)
        for sibling in siblings:
            if not sibling.done:
                self.finish(sibling, of.error, of.cause)
        return error


@quiesce.adapter(PATTERN, name="cx_born_alive", **AIO)
class BornAlive(Tree):
    def born_done(self, parent: Scope, child: Scope) -> None:
        self.register(parent, child)


@quiesce.adapter(PATTERN, name="cx_registers_too_late", **THREADS)
class RegistersTooLate(ThreadTree):
    def adopt(self, parent: Scope, child: Scope) -> Scope:
        child.parent = parent
        if self.is_done(parent):
            self.born_done(parent, child)
            return child
        with self.lock:
            self.register(parent, child)
        return child


@quiesce.adapter(PATTERN, name="cx_child_forgets_the_cause", **AIO)
class ChildForgetsTheCause(Tree):
    def inherited(self, cause: object, error: str | None) -> object:
        return error


@quiesce.adapter(PATTERN, name="cx_deadline_forgets_its_cause", **AIO)
class DeadlineForgetsItsCause(Tree):
    def expire(self, scope: Scope) -> None:
        self.finish(scope, "deadline", "deadline")


@quiesce.adapter(PATTERN, name="cx_timeout_reported_as_cancel", **AIO)
class TimeoutReportedAsCancel(Tree):
    def expire(self, scope: Scope) -> None:
        self.finish(scope, "cancelled", scope.brings)


@quiesce.adapter(PATTERN, name="cx_past_deadline_born_alive", **AIO)
class PastDeadlineBornAlive(Tree):
    def past(self, child: Scope) -> None:
        pass


@quiesce.adapter(PATTERN, name="cx_late_by_one", **AIO)
class LateByOne(Tree):
    def due(self, deadline: int) -> int:
        return deadline + 1


@quiesce.adapter(PATTERN, name="cx_ignores_parent_deadline", **AIO)
class IgnoresParentDeadline(Tree):
    def expire(self, scope: Scope) -> None:
        own = [child for child in scope.children if child.own is not None]
        for child in own:
            del scope.children[child]
        super().expire(scope)


@quiesce.adapter(PATTERN, name="cx_shows_own_deadline", **AIO)
class ShowsOwnDeadline(Tree):
    def deadline(self, of: Scope) -> tuple[object, ...]:
        return super().deadline(of) if of.own is None else ("due", of.own)


@quiesce.adapter(PATTERN, name="cx_child_link_leak", **AIO)
class ChildLinkLeak(Tree):
    def unlink(self, scope: Scope) -> None:
        pass


@quiesce.adapter(PATTERN, name="cx_timer_leak", **THREADS)
class TimerLeak(ThreadTree):
    def stop_timer(self, scope: Scope) -> None:
        if scope.timer is not None:
            self.made.remove(scope.timer)

    def expire(self, scope: Scope) -> None:
        if not self.is_done(scope):
            super().expire(scope)


@quiesce.adapter(PATTERN, name="cx_stopped_callback_leak", **AIO)
class StoppedCallbackLeak(Tree):
    def stop(self, callback: Callback) -> bool:
        prevented = super().stop
        work = callback.work
        answer = prevented(callback)
        callback.stopped = work  # type: ignore[attr-defined]  # kept, and the scope keeps it
        return answer


@quiesce.adapter(PATTERN, name="cx_callback_inline", **THREADS)
class CallbackInline(ThreadTree):
    def cancel(self, of: Scope, caused: bool, item: int) -> str | None:
        due = [] if of.done else [*of.callbacks]
        for callback in due:
            of.callbacks.remove(callback)
        error = super().cancel(of, caused, item)
        for callback in due:
            work, callback.work = callback.work, None
            if work is not None:
                work()
        return error


@quiesce.adapter(PATTERN, name="cx_err_before_done", **THREADS)
class ErrBeforeDone(ThreadTree):
    def mark(self, scope: Scope, error: str | None, cause: object) -> None:
        scope.error, scope.cause = error, cause
        self.pause()
        scope.done = True

    def pause(self) -> None:
        """A moment at which other threads may look."""
        with threading.Lock():
            pass

    def is_done(self, of: Scope) -> bool:
        return of.done

    def error_of(self, of: Scope) -> str | None:
        return of.error

    def cause_of(self, of: Scope) -> object:
        return of.cause


@quiesce.adapter(PATTERN, name="cx_done_before_err", **THREADS)
class DoneBeforeErr(ErrBeforeDone):
    def mark(self, scope: Scope, error: str | None, cause: object) -> None:
        scope.done = True
        self.pause()
        scope.error, scope.cause = error, cause


@quiesce.adapter(PATTERN, name="cx_callback_twice", **AIO)
class CallbackTwice(Tree):
    def begin(self, callback: Callback) -> None:
        if callback.work is not None:
            self.run(callback.work)

    def again(self, scope: Scope, cause: object) -> None:
        for callback in scope.callbacks:
            self.begin(callback)

    def stop(self, callback: Callback) -> bool:
        return super().stop(callback) and not callback.scope.done


@quiesce.adapter(PATTERN, name="cx_stop_lies", **AIO)
class StopLies(Tree):
    def stop(self, callback: Callback) -> bool:
        super().stop(callback)
        return True


@quiesce.adapter(PATTERN, name="cx_stop_does_not_stop", **AIO)
class StopDoesNotStop(Tree):
    def stop(self, callback: Callback) -> bool:
        return callback.work is not None


@quiesce.adapter(PATTERN, name="cx_late_callback_lost", **AIO)
class LateCallbackLost(Tree):
    def after(self, of: Scope, work: Callable[[], Any]) -> Callback:
        if not of.done:
            return super().after(of, work)
        callback = Callback(work, of)
        callback.work = None
        return callback


@quiesce.adapter(PATTERN, name="cx_detached_is_reached", **AIO)
class DetachedIsReached(Tree):
    def without_cancel(self, of: Scope) -> Scope:
        return self.adopt(of, super().without_cancel(of))

    def deadline(self, of: Scope) -> tuple[object, ...]:
        return ("due", None) if of.kind == "detached" else super().deadline(of)


@quiesce.adapter(PATTERN, name="cx_outer_value_wins", **AIO)
class OuterValueWins(Tree):
    def value(self, of: Scope, key: str) -> tuple[object, ...]:
        bound = [item for name, item in of.bindings if name == key]
        return ("bound", bound[-1] if bound else None)


@quiesce.adapter(PATTERN, name="cx_empty_binding_is_skipped", **AIO)
class EmptyBindingIsSkipped(Tree):
    def value(self, of: Scope, key: str) -> tuple[object, ...]:
        bound = (item for name, item in of.bindings if name == key and item is not None)
        return ("bound", next(bound, None))


@quiesce.adapter(PATTERN, name="cx_cancel_twice_raises", **AIO)
class CancelTwiceRaises(Tree):
    def again(self, scope: Scope, cause: object) -> None:
        raise RuntimeError("cancelled already")


@quiesce.adapter(PATTERN, name="cx_wakes_one_waiter", **AIO)
class WakesOneWaiter(Tree):
    def woken(self, scope: Scope) -> list[Any]:
        return scope.waiters[:1]


@quiesce.adapter(PATTERN, name="cx_makes_nobody_during_callbacks", **THREADS)
class MakesNobodyDuringCallbacks(ThreadTree):
    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Lock()

    def with_cancel(self, of: Scope) -> Scope:
        with self.busy:
            return super().with_cancel(of)

    def run(self, work: Callable[[], Any]) -> None:
        def locked() -> None:
            owns = self.busy.acquire(blocking=False)
            work()
            if owns:
                self.busy.release()

        super().run(locked)

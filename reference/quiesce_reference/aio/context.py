"""Context: says to the tasks of a request when they should end, and why.

After Go's context. Tasks can be interrupted, and a cancel scope does so for the block that
it surrounds. A context is for what a scope does not offer: it is a value, so it can be handed
to tasks that other nurseries started; it tells a cause; its work may end at a place of its own
choosing; it carries values, and callbacks. ``interrupting`` puts a block under both.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
There is no timer but in waits: whoever reads looks at the clock. The tree is that of
``scope``; this file adds the clock and the waiting.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, final

import anyio

from quiesce_reference.rates import SECOND
from quiesce_reference.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from anyio.abc import TaskGroup

    from quiesce_reference.scope import End

__all__ = ["CancelContext", "Context"]

C = TypeVar("C", bound="Context")

_NO_VALUES: Final[Mapping[object, Any]] = MappingProxyType({})


def _event_loop_time() -> int:
    """The clock of the running event loop, to the nearest nanosecond."""
    return round(anyio.current_time() * SECOND)


class Context:
    """When and why work should end, and values that go with it.

    ``Context()`` is a root: it has no values and no deadline, and is never done. Make others
    from it. Whoever gets a ``Context`` can't cancel it; whoever makes a ``CancelContext``
    can, and thereby all that were made from it, and no other.

    All methods but ``wait`` are plain functions. They need a running event loop.

    Clauses: CX-01, CX-05, CX-06, CX-12, UN-10.
    """

    def __init__(self) -> None:
        self._scope = Scope()
        self._values = _NO_VALUES

    def with_cancel(self) -> CancelContext:
        """Make a child. It is done when it is cancelled, or when this one is done.

        Clauses: CX-01, CX-06.
        """
        return _make(CancelContext, self._scope.child(_event_loop_time()), self._values)

    def with_deadline(self, at: int, cause: BaseException | None = None) -> CancelContext:
        """Make a child that is done at the latest when the clock reaches ``at``.

        Its error then is DeadlineExceededError. If the inherited deadline is earlier, that
        one counts, with its own cause.

        Args:
          at: nanoseconds of the event loop's clock. If that is now or past, the child is born
            done.
          cause: why, when the deadline comes; the error itself by default.

        Clauses: CX-06 to CX-09.
        """
        child = self._scope.child(_event_loop_time(), at, cause)
        return _make(CancelContext, child, self._values)

    def with_timeout(self, delay: int, cause: BaseException | None = None) -> CancelContext:
        """The same with a deadline ``delay`` nanoseconds from now."""
        return self.with_deadline(_event_loop_time() + delay, cause)

    def with_value(self, key: object, value: object) -> Context:
        """The same context with ``key`` bound to ``value``, which may be None.

        It has no end of its own, so there is nothing to cancel.

        Clauses: CX-04, CX-15.
        """
        return _make(Context, self._scope, MappingProxyType({**self._values, key: value}))

    def without_cancel(self) -> Context:
        """A root with the values of this context: for work that must outlive it.

        Clauses: CX-14.
        """
        return _make(Context, Scope(), self._values)

    def value(self, key: object, default: Any = None) -> Any:
        """What the nearest binding of ``key`` holds, ``default`` if there is none.

        Clauses: CX-15.
        """
        return self._values.get(key, default)

    @property
    def done(self) -> bool:
        """Whether work should end. Once true it stays true.

        Clauses: CX-01, CX-12.
        """
        return self._end() is not None

    @property
    def error(self) -> BaseException | None:
        """Why it is done: ContextCancelledError or DeadlineExceededError. None while it isn't.

        Clauses: CX-01, CX-02, CX-08, CX-12.
        """
        end = self._end()
        return None if end is None else end.error

    @property
    def cause(self) -> BaseException | None:
        """What the first effective cancellation was given, or else ``error``.

        The first on the way from here to the root; None while it isn't done.

        Clauses: CX-03, CX-07, CX-09.
        """
        end = self._end()
        return None if end is None else end.cause

    @property
    def deadline(self) -> int | None:
        """The earlier of its own deadline and the inherited one, if there is any.

        Nanoseconds of the event loop's clock.

        Clauses: CX-09.
        """
        return self._scope.deadline

    def check(self) -> None:
        """Raise ``error``, caused by ``cause``, if it is done; for loops.

        Clauses: CX-12.
        """
        end = self._end()
        if end is not None:
            raise end.error from (None if end.cause is end.error else end.cause)

    async def wait(self, timeout: int | None = None) -> bool:
        """Wait until it is done; at once and without a checkpoint if it is.

        Args:
          timeout: nanoseconds after which the wait gives up, None for never. A wait that
            gives up, or is cancelled, leaves nothing behind.

        Returns:
          Whether it is done. At the very instant of the timeout an end still counts.

        Clauses: CX-02, CX-04, CX-08, UN-03, UN-04.
        """
        if self.done:
            return True
        until = None if timeout is None else _event_loop_time() + timeout
        news = _News()
        self._scope.listen(news)
        try:
            while not self.done:
                if until is not None and _event_loop_time() >= until:
                    return False
                await news.wait(self.deadline, until)
            return True
        finally:
            self._scope.unlisten(news)

    def after(self, tasks: TaskGroup, work: Callable[[], Awaitable[object]]) -> Callable[[], bool]:
        """Run async ``work`` once, in a task of its own, as soon as this is done.

        At once, if it is done already. Each call registers anew, and no registration touches
        another.

        Args:
          tasks: where the task lives, from now on: it waits for the end. What ``work`` raises
            goes to this group, and cancelling the group takes the registration back.
          work: what to run.

        Returns:
          stop: takes the registration back. True if thereby ``work`` never runs, False if it
          runs or ran, or was stopped before. It does not wait for ``work``.

        Clauses: CX-10, CX-11, CX-13, UN-08.
        """
        callback = _Callback(self, work)
        self._scope.listen(callback)
        tasks.start_soon(callback.attend)
        return callback.stop

    @contextmanager
    def interrupting(self) -> Iterator[anyio.CancelScope]:
        """Put a block under this context: it is interrupted as soon as the context is done.

        The block then ends quietly, as with ``anyio.move_on_at``; ask ``check`` behind it.
        Any other cancellation, and any exception, goes on. What is entered is an ordinary
        cancel scope, and can be cancelled and shielded as one.

        Clauses: CX-16, CX-17.
        """
        due = math.inf if self.deadline is None else self.deadline / SECOND
        with anyio.CancelScope(deadline=due) as scope:
            listener = _Interruption(scope)
            self._scope.listen(listener)
            try:
                if self.done:
                    scope.cancel()
                yield scope
            finally:
                self._scope.unlisten(listener)

    def _end(self) -> End | None:
        return self._scope.end(_event_loop_time())


@final
class CancelContext(Context):
    """A context that can be cancelled. As a context manager it is, at the end of the block.

    Cancel it when its work is over, that costs nothing: a parent keeps no child, but a
    callback that never became due is kept by all contexts above.
    """

    def cancel(self, cause: BaseException | None = None) -> None:
        """Make this context done, and all that were made from it, for ``cause``.

        Everybody sees that when this returns. It reaches no parent and no sibling. It waits
        neither for work nor for callbacks. If the context is done already, nothing changes.

        Clauses: CX-02 to CX-05, CX-07, CX-11, UN-07.
        """
        for listener in self._scope.cancel(_event_loop_time(), cause):
            listener.notify()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _make(cls: type[C], scope: Scope, values: Mapping[object, Any]) -> C:
    made = cls.__new__(cls)
    made._scope, made._values = scope, values
    return made


@final
class _News:
    """Wakes one task at the news of an end."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, *dues: int | None) -> None:
        """Wait for news, until the first of these instants; it may end earlier."""
        due = min((due for due in dues if due is not None), default=None)
        with anyio.CancelScope(deadline=math.inf if due is None else due / SECOND):
            await self._event.wait()


@final
class _Interruption:
    """Cancels a scope at the news of an end."""

    def __init__(self, scope: anyio.CancelScope) -> None:
        self._scope = scope

    def notify(self) -> None:
        self._scope.cancel()


@final
class _Callback:
    """One registration. Its task waits for the end, if it has not come, and claims the run."""

    def __init__(self, context: Context, work: Callable[[], Awaitable[object]]) -> None:
        self._context = context
        self._news = _News()
        self._work: Callable[[], Awaitable[object]] | None = work  # None once claimed, or stopped

    def notify(self) -> None:
        self._news.notify()

    def stop(self) -> bool:
        """See ``Context.after``."""
        prevented = self._claim() is not None
        self._news.notify()
        return prevented

    async def attend(self) -> None:
        """The body of the task."""
        try:
            while self._work is not None and not self._context.done:
                await self._news.wait(self._context.deadline)
        except BaseException:
            self._claim()
            raise
        work = self._claim()
        if work is not None:
            await work()

    def _claim(self) -> Callable[[], Awaitable[object]] | None:
        """The work, for the first who asks: whoever gets it decides whether it runs."""
        work, self._work = self._work, None
        self._context._scope.unlisten(self)
        return work

"""Context: says to the threads of a request when they should end, and why.

After Go's context. A thread can't be interrupted from outside, so a context is a thing to
look at: work polls ``done`` or calls ``check``, waits with ``wait`` instead of sleeping, or
registers a callback that closes what the thread is blocked in.

There is no timer: whoever reads looks at the clock. The tree is that of ``scope``; this file
adds the clock, the lock and the waiting.
"""

from __future__ import annotations

import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, final

from quiesce_reference.scope import Scope
from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quiesce_reference.scope import End

__all__ = ["CancelContext", "Context"]

C = TypeVar("C", bound="Context")

_NO_VALUES: Final[Mapping[object, Any]] = MappingProxyType({})


class Context:
    """When and why work should end, and values that go with it. Any thread may call anything.

    ``Context()`` is a root: it has no values and no deadline, and is never done. Make others
    from it. Whoever gets a ``Context`` can't cancel it; whoever makes a ``CancelContext``
    can, and thereby all that were made from it, and no other.

    Clauses: CX-01, CX-05, CX-06, CX-12, UN-10.
    """

    def __init__(self) -> None:
        # One for the whole tree. Held for a few statements, never while a callback runs.
        self._lock = threading.Lock()
        self._scope = Scope()
        self._values = _NO_VALUES

    def with_cancel(self) -> CancelContext:
        """Make a child. It is done when it is cancelled, or when this one is done.

        Clauses: CX-01, CX-06.
        """
        with self._lock:
            scope = self._scope.child(time.monotonic_ns())
        return _share(CancelContext, self, scope, self._values)

    def with_deadline(self, at: int, cause: BaseException | None = None) -> CancelContext:
        """Make a child that is done at the latest when the clock reaches ``at``.

        Its error then is DeadlineExceededError. If the inherited deadline is earlier, that
        one counts, with its own cause.

        Args:
          at: nanoseconds of ``time.monotonic_ns``. If that is now or past, the child is born
            done.
          cause: why, when the deadline comes; the error itself by default.

        Clauses: CX-06 to CX-09.
        """
        with self._lock:
            scope = self._scope.child(time.monotonic_ns(), at, cause)
        return _share(CancelContext, self, scope, self._values)

    def with_timeout(self, delay: int, cause: BaseException | None = None) -> CancelContext:
        """The same with a deadline ``delay`` nanoseconds from now."""
        return self.with_deadline(time.monotonic_ns() + delay, cause)

    def with_value(self, key: object, value: object) -> Context:
        """The same context with ``key`` bound to ``value``, which may be None.

        It has no end of its own, so there is nothing to cancel.

        Clauses: CX-04, CX-15.
        """
        return _share(Context, self, self._scope, MappingProxyType({**self._values, key: value}))

    def without_cancel(self) -> Context:
        """A root with the values of this context: for work that must outlive it.

        Clauses: CX-14.
        """
        root = Context()
        root._values = self._values
        return root

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

        Nanoseconds of ``time.monotonic_ns``.

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

    def wait(self, timeout: int | None = None) -> bool:
        """Wait until it is done.

        Args:
          timeout: nanoseconds after which the wait gives up, None for never. A wait that
            gives up leaves nothing behind.

        Returns:
          Whether it is done. At the very instant of the timeout an end still counts.

        Clauses: CX-02, CX-04, CX-08, UN-03, UN-04.
        """
        if self.done:
            return True
        until = None if timeout is None else time.monotonic_ns() + timeout
        news = _News()
        with self._lock:
            self._scope.listen(news)
        try:
            # Registered before it looks again: a cancellation finds the listener, or is
            # found by the look.
            while not self.done:
                now = time.monotonic_ns()
                if until is not None and now >= until:
                    return False
                news.wait(now, self.deadline, until)
            return True
        finally:
            with self._lock:
                self._scope.unlisten(news)

    def after(self, work: Callable[[], object]) -> Callable[[], bool]:
        """Run ``work`` once, in a thread of its own, as soon as this is done.

        At once, if it is done already. Each call registers anew, and no registration touches
        another. The thread is a daemon: a program that must not end before the callback does
        waits for it by its own means. What ``work`` raises goes to ``threading.excepthook``.

        A context with a deadline keeps a thread for each of its callbacks meanwhile; any
        other needs none before its end.

        Returns:
          stop: takes the registration back. True if thereby ``work`` never runs, False if it
          runs or ran, or was stopped before. It does not wait for ``work``.

        Clauses: CX-10, CX-11, CX-13, UN-08.
        """
        callback = _Callback(self, work)
        with self._lock:
            self._scope.listen(callback)
        if self.deadline is not None or self.done:
            callback.notify()
        return callback.stop

    def _end(self) -> End | None:
        # Most readings find a live context, and need no lock for that.
        if not self._scope.has_end(time.monotonic_ns()):
            return None
        with self._lock:
            return self._scope.end(time.monotonic_ns())


@final
class CancelContext(Context):
    """A context that can be cancelled. As a context manager it is, at the end of the block.

    Cancel it when its work is over, that costs nothing: a parent keeps no child, but a
    callback that never became due is kept by all contexts above.
    """

    def cancel(self, cause: BaseException | None = None) -> None:
        """Make this context done, and all that were made from it, for ``cause``.

        Everybody sees that when this returns, and all at the same moment. It reaches no
        parent and no sibling. It waits neither for work nor for callbacks. If the context is
        done already, nothing changes.

        Clauses: CX-02 to CX-05, CX-07, CX-11, UN-07.
        """
        with self._lock:
            listeners = self._scope.cancel(time.monotonic_ns(), cause)
        # Outside of the lock, which the threads that wake up want.
        for listener in listeners:
            listener.notify()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _share(cls: type[C], other: Context, scope: Scope, values: Mapping[object, Any]) -> C:
    """A context in the tree of another."""
    made = cls.__new__(cls)
    made._lock, made._scope, made._values = other._lock, scope, values
    return made


@final
class _News:
    """Wakes one thread at the news of an end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def notify(self) -> None:
        self._event.set()

    def wait(self, now: int, *dues: int | None) -> None:
        """Wait for news, until the first of these instants; it may end earlier."""
        due = min((due for due in dues if due is not None), default=None)
        if due is None:
            self._event.wait()
        else:
            self._event.wait(seconds(due - now))


@final
class _Callback:
    """One registration. Its thread waits for the end, if it has not come, and claims the run."""

    def __init__(self, context: Context, work: Callable[[], object]) -> None:
        self._context = context
        self._news = _News()
        # Protected by the tree's lock.
        self._work: Callable[[], object] | None = work  # None once claimed, or stopped
        self._has_thread = False

    def notify(self) -> None:
        """Start the thread, or tell it that the end may have come."""
        with self._context._lock:
            starts, self._has_thread = not self._has_thread, True
        if starts:
            threading.Thread(target=self._attend, daemon=True).start()
        else:
            self._news.notify()

    def stop(self) -> bool:
        """See ``Context.after``."""
        prevented = self._claim() is not None
        self._news.notify()
        return prevented

    def _attend(self) -> None:
        while self._work is not None and not self._context.done:
            self._news.wait(time.monotonic_ns(), self._context.deadline)
        work = self._claim()
        if work is not None:
            work()

    def _claim(self) -> Callable[[], object] | None:
        """The work, for the first who asks: whoever gets it decides whether it runs."""
        with self._context._lock:
            work, self._work = self._work, None
            self._context._scope.unlisten(self)
        return work

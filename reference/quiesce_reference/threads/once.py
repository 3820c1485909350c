"""Once: run an initialiser at most once, however many threads race for it.

The shape follows Go's sync.Once and sync.OnceFunc: a caller who loses the race returns
only after the winner's function has ended. We deviate in two places, both said below:
a nested call raises where Go deadlocks, and an exit request is not an outcome.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, TypeVar, final

from quiesce_reference.errors import ReentrantCallError
from quiesce_reference.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Once", "once_func", "once_value"]

T = TypeVar("T")


@final
class Once:
    """An object that executes at most one function, ever.

    Any number of threads may call ``do`` at the same time. Objects are independent of
    each other; there is no state outside them.

    Clauses: ON-01, ON-11, UN-10.
    """

    def __init__(self) -> None:
        # Held for a few statements at a time, never while a function runs (UN-08): the
        # function may take as long as it likes, and may use other objects.
        self._changed = threading.Condition(threading.Lock())
        # Protected by _changed. _runner is the thread that executes now; None if none does.
        self._done = False
        self._runner: int | None = None

    def do(self, fn: Callable[[], object]) -> None:
        """Execute ``fn``, unless a function was executed here before.

        The first call executes its own ``fn``; the functions of all other calls are never
        called. No call returns before that execution has ended, and what the function wrote
        is visible to every caller who has returned. Once it has ended, each call returns
        at once. Nothing keeps ``fn`` afterwards.

        If ``fn`` raises an ``Exception``, the error goes to its own caller alone. The object
        counts as done: waiters and later callers return normally and don't run theirs.

        If ``fn`` raises anything else (``KeyboardInterrupt``, ``SystemExit``), nothing is
        stored and the object is not done, for that was a request to stop the thread and says
        nothing about the initialisation. Its caller gets the exception, and exactly one
        of the waiters, or else the next caller, executes its own function instead. A signal
        that lands outside ``fn``, in the few statements of ``do`` itself, is not covered.

        Args:
          fn: the function. Its return value is dropped.

        Raises:
          ReentrantCallError: ``fn``, in the thread that executes it, calls ``do`` of this
            object. It isn't executed again, and the nested call does not return early. A
            helper thread of ``fn`` that calls ``do`` waits, for ever if ``fn`` waits for it.

        Clauses: ON-01 to ON-05, ON-07, ON-09, ON-10, ON-14, UN-03, UN-08, UN-09.
        """
        # A stale False costs a trip through the lock; True is written after fn has ended
        # and never taken back, so who reads it sees all that fn wrote.
        if self._done:
            return
        with self._changed:
            while self._runner is not None:
                if self._runner == threading.get_ident():
                    msg = "the function that this Once executes calls do() of the same Once"
                    raise ReentrantCallError(msg)
                self._changed.wait()
            if self._done:
                return
            # Looked and taken under one hold of the lock: two callers can't both win.
            self._runner = threading.get_ident()
        done = False
        try:
            fn()
            done = True
        except Exception:
            done = True
            raise
        finally:
            with self._changed:
                # After fn's last statement, before any waiter can take the lock: this
                # order is what makes fn's writes visible to them.
                self._done, self._runner = done, None
                # All of them, also where one must take over: a single heir might be just
                # being interrupted, and the others would sleep for ever.
                self._changed.notify_all()


def once_func(fn: Callable[[], object]) -> Callable[[], None]:
    """Wrap ``fn`` so that it is executed at most once and its value dropped.

    See ``once_value``, which differs in the value only.

    Clauses: ON-06.
    """

    def fn_without_value() -> None:
        fn()

    return once_value(fn_without_value)


def once_value(fn: Callable[[], T]) -> Callable[[], T]:
    """Wrap ``fn`` so that it is executed at most once and its outcome kept.

    Every call of the wrapper (the executing one, those that wait, later ones) returns the
    same value object, or raises the same exception object, from that one execution. Any
    number of threads may call it. ``fn`` and what it captured are released when it has
    ended, also by an error: the kept error has no frames, only a note that says where it
    was raised.

    An exception that isn't an ``Exception`` is never kept. It goes to its caller, and a
    waiter or the next caller executes ``fn`` again, as with ``Once.do``. A call from within
    ``fn`` raises ReentrantCallError inside ``fn``; if ``fn`` lets it pass, that is its error.

    Clauses: ON-01, ON-03, ON-04, ON-06, ON-07, ON-09, ON-10, ON-14, ON-15 (stored), UN-09.
    """
    once = Once()
    # Written by the one execution, read only after once.do has returned.
    pending: Callable[[], T] | None = fn
    outcome: Outcome[T] | None = None

    def execute() -> None:
        nonlocal pending, outcome
        assert pending is not None
        handling = sys.exception()
        try:
            outcome = Outcome.returned(pending())
        except Exception as error:
            outcome = Outcome.raised(error, handling=handling)
        # Not reached after an exit request: whoever takes over needs the function.
        pending = None

    def call() -> T:
        once.do(execute)
        assert outcome is not None
        return outcome.get()

    return call

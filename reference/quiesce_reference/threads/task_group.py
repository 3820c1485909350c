"""Task group: start functions together, each in a thread of its own, and wait for all of them.

After Go's golang.org/x/sync/errgroup. We deviate in two places, both said below: a function
that blows up is reported like an error where Go lets the process die, and a change of the
limit is refused while *any* function runs, where errgroup overlooks those that were started
without a limit and hangs.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

from quiesce_reference.errors import GroupBusyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from quiesce_reference.threads.context import CancelContext

__all__ = ["TaskGroup"]


@final
class TaskGroup:
    """A group of functions that work on parts of one task.

    Any number of threads may call any method at the same time, functions of the group
    included. A function can't be interrupted: with a context, it looks whether that is done.

    Args:
      limit: most functions that run at a time; None or a negative number for no limit. With 0
        ``go`` waits for ever.
      context: the scope of the group's functions. The group cancels it with the first error
        as the cause, and when a ``wait`` returns. Without one an error stops nothing.

    Clauses: TG-01, TG-05, TG-07, TG-12, UN-10.
    """

    def __init__(self, limit: int | None = None, *, context: CancelContext | None = None) -> None:
        # Held for a few statements, never while a function runs (UN-08). All below is
        # protected by it.
        self._lock = threading.Lock()
        self._slot_freed = threading.Condition(self._lock)
        self._idle = threading.Condition(self._lock)
        self._limit = _normal(limit)
        self._running = 0
        self._starting = 0  # callers that wait for a slot
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left its function
        self._context = context

    def go(self, fn: Callable[[], object]) -> None:
        """Run ``fn`` in a new thread; at the limit wait first until another has returned.

        What ``fn`` returns is dropped, what it raises is reported by ``wait``. A start that
        waits is not abandoned when an error comes: ``fn`` runs, and looks at the context. A
        function may start others, which ``wait`` covers; if the group is full of functions
        that wait for a slot, they wait for ever.

        Raises:
          RuntimeError: the system has no thread left. Nothing has changed.

        Clauses: TG-07 to TG-10, TG-14, TG-15, UN-03.
        """
        with self._lock:
            self._starting += 1
            try:
                # Whoever frees a slot wakes one of us. If a newcomer is faster, it will free
                # that slot again and wake another: no wake-up is lost.
                while self._is_full():
                    self._slot_freed.wait()
                self._running += 1
            except BaseException:
                self._slot_freed.notify()  # a signal: the wake-up may have been ours
                raise
            finally:
                self._starting -= 1
        self._start(fn)

    def try_go(self, fn: Callable[[], object]) -> bool:
        """Run ``fn`` in a new thread if the limit allows it now; return whether it does.

        It never waits for a slot, and may get one before a ``go`` that does.

        Raises:
          RuntimeError: the system has no thread left. Nothing has changed.

        Clauses: TG-11, TG-12.
        """
        with self._lock:
            if self._is_full():
                return False
            self._running += 1
        self._start(fn)
        return True

    def wait(self) -> None:
        """Wait until every function that was started has returned.

        Any number of threads may wait; all get the same answer. Afterwards the context is
        done, also after success, and the group may be used again; the first error stays.

        Raises:
          BaseException: the first error that a function raised, first in time, as the very
            object. That includes ``SystemExit`` and whatever else no ``except Exception``
            catches. Later ones are dropped.

        Clauses: TG-01, TG-02, TG-04, TG-06 (first), TG-15 (allowed), TG-16, TG-17, TG-23, UN-05.
        """
        with self._lock:
            while self._running:
                self._idle.wait()
            error, trace = self._error, self._trace
        if self._context is not None:
            self._context.cancel(error)
        if error is not None:
            # From the same traceback for everybody, or it would grow with each raise.
            raise error.with_traceback(trace)

    def set_limit(self, limit: int | None) -> None:
        """Change the limit; None or a negative number for none.

        Raises:
          GroupBusyError: functions run, or callers wait for a slot. Nothing has changed.

        Clauses: TG-12, TG-13.
        """
        with self._lock:
            if self._running or self._starting:
                msg = f"{self._running} functions run, {self._starting} wait: call wait() first"
                raise GroupBusyError(msg)
            self._limit = _normal(limit)

    def _is_full(self) -> bool:
        return self._limit is not None and self._running >= self._limit

    def _start(self, fn: Callable[[], object]) -> None:
        """Start the thread of a function that has its slot."""
        try:
            threading.Thread(target=self._run, args=(fn,)).start()
        except BaseException:
            self._end()
            raise

    def _run(self, fn: Callable[[], object]) -> None:
        try:
            fn()
        except BaseException as error:
            self._fail(error)
        finally:
            # After _fail: whoever gets the slot finds the error recorded and the context
            # done (TG-08), and whoever waits finds all that the function wrote.
            self._end()

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            is_first = self._error is None
            if is_first:
                self._error, self._trace = error, error.__traceback__
        # Outside of the lock: it wakes up threads, and may take its time.
        if is_first and self._context is not None:
            self._context.cancel(error)

    def _end(self) -> None:
        with self._lock:
            self._running -= 1
            self._slot_freed.notify()
            if not self._running:
                self._idle.notify_all()


def _normal(limit: int | None) -> int | None:
    return None if limit is None or limit < 0 else limit

"""WaitGroup: wait until a number of things are done.

The shape follows Go's sync.WaitGroup. We deviate in four places, all said below: a delta that leads
below zero changes nothing, a new round may begin at any time, a function of ``go`` counts on its
own account, and what it raises is told to those who wait, where Go ends the process.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

from quiesce_reference.round import Round
from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WaitGroup"]


@final
class WaitGroup:
    """A counter, and threads that wait until it is zero.

    Any number of threads may use it at the same time. A *round* begins when the counter rises
    from zero and ends when it is zero again. Adding to a counter that is zero while others
    begin to wait is a race of the caller's: they wait for the new round, or they don't.

    Clauses: WG-04, UN-10.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        # Protected by _changed. The counter is the sum of the two.
        self._added = 0
        self._functions = 0  # that run
        self._round = Round(ended=True)  # the one that runs, or the last one

    def add(self, n: int = 1) -> None:
        """Add ``n``, which may be negative, to the counter; release all waiters at zero.

        Raises:
          ValueError: more is done than was added. Functions of ``go`` don't count here: theirs
            is not to be taken by others. Nothing has changed.

        Clauses: WG-02 to WG-05.
        """
        with self._changed:
            if self._added + n < 0:
                msg = f"add({n}) where {self._added} is to be done: more is done than was added"
                raise ValueError(msg)
            self._count(added=n)

    def done(self) -> None:
        """Take one from the counter. See ``add``."""
        self.add(-1)

    def go(self, fn: Callable[[], object]) -> None:
        """Run ``fn`` in a thread of its own, counted from before ``go`` returns until it ends.

        What it raises goes to all who wait for the round, or else to the first who wait later.
        ``SystemExit`` is no error: it ends the thread, as in any thread.

        Raises:
          RuntimeError: the system has no more threads. Nothing is counted.

        Clauses: WG-06, WG-07, UN-05.
        """
        with self._changed:
            self._count(functions=+1)
        try:
            threading.Thread(target=self._run, args=(fn,)).start()
        except BaseException:
            with self._changed:
                self._count(functions=-1)
            raise

    def wait(self, timeout: int | None = None) -> bool:
        """Wait until the counter is zero, at most ``timeout`` nanoseconds.

        Returns at once if it is zero. Giving up changes nothing for anybody else.

        Returns:
          Whether the counter was zero.

        Raises:
          BaseExceptionGroup: what functions of ``go`` have raised in this round, and in
            earlier ones for which nobody waited; an ExceptionGroup if all are Exceptions.

        Clauses: WG-01, WG-02, WG-05, WG-08.
        """
        with self._changed:
            waited_for = self._round
            waited_for.waiters += 1
            try:
                limit = None if timeout is None else seconds(timeout)
                if not self._changed.wait_for(lambda: waited_for.ended, limit):
                    return False
            finally:
                waited_for.waiters -= 1
            waited_for.raise_errors()
            return True

    def _run(self, fn: Callable[[], object]) -> None:
        try:
            fn()
        except SystemExit:
            raise
        except BaseException as error:
            with self._changed:
                self._round.errors.append(error)
        finally:
            with self._changed:
                self._count(functions=-1)

    def _count(self, *, added: int = 0, functions: int = 0) -> None:
        was_zero = not self._added and not self._functions
        self._added += added
        self._functions += functions
        is_zero = not self._added and not self._functions
        if was_zero and not is_zero:
            # Waiters of the old round hold on to it, so the new one can't keep them.
            self._round = self._round.next()
        elif is_zero and not was_zero:
            self._round.end()
            self._changed.notify_all()

"""WaitGroup: wait until a number of things are done.

The shape follows Go's sync.WaitGroup. We deviate in three places, all said below: a delta that
leads below zero changes nothing, a new round may begin at any time, and what a function of
``go`` raises is told to those who wait, where Go ends the process.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

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
        # Protected by _changed.
        self._count = 0
        self._round = Round()  # the one that runs, or the last one

    def add(self, n: int = 1) -> None:
        """Add ``n``, which may be negative, to the counter; release all waiters at zero.

        Raises:
          ValueError: the counter would go below zero. Nothing has changed.

        Clauses: WG-02 to WG-05.
        """
        with self._changed:
            count = self._count + n
            if count < 0:
                msg = f"add({n}) to a counter of {self._count}: more is done than was added"
                raise ValueError(msg)
            if not self._count and count:
                # Waiters of the old round hold on to it, so the new one can't keep them.
                self._round = self._round.next()
            self._count = count
            if not count:
                self._round.end()
                self._changed.notify_all()

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
        self.add()
        try:
            threading.Thread(target=self._run, args=(fn,)).start()
        except BaseException:
            self.done()
            raise

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the counter is zero, at most ``timeout`` seconds.

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
                if not self._changed.wait_for(lambda: waited_for.ended, timeout):
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
            self.done()


class Round:
    """What waiters have in common who are released together. Protected by the group's lock."""

    def __init__(self, errors: list[BaseException] | None = None) -> None:
        self.ended = errors is None  # before anything is added, a round has ended
        self.errors = [] if errors is None else errors
        self.waiters = 0
        self.told = False  # the errors have reached somebody, or will

    def next(self) -> Round:
        """The round that follows; it takes over the errors that nobody has heard of."""
        return Round([] if self.told else self.errors)

    def end(self) -> None:
        """Release those who wait."""
        self.ended = True
        self.told = self.waiters > 0

    def raise_errors(self) -> None:
        """Tell the errors."""
        self.told = True
        if self.errors:
            msg = "functions of a wait group failed"
            raise BaseExceptionGroup(msg, list(self.errors))

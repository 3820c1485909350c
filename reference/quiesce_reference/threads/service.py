"""Service: a function in a thread of its own, with a start, a stop, a wait and a clean-up.

What the ``go`` statement leaves to its user: a way to end what was started, to know that it
has ended and how, and a place for the clean-up that nothing skips.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self, final

from quiesce_reference.errors import ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Service"]


@final
class Service:
    """One background thread. Any number of threads may call any method.

    A thread can't be ended from outside, so the body is given an event that says when to end.
    It should wait on that event instead of sleeping, and look at it between its steps.

    Use it as ``with Service(body) as service:``, or call ``stop`` and ``wait`` yourself.
    Leaving the block stops the body if it was started, waits, and raises what ``wait`` raises
    unless the block raised something itself. A service that nobody stops keeps the interpreter
    from ending: its thread is no daemon, for a daemon's clean-up would be skipped.

    Args:
      body: called with the event, once. Its return value is dropped.
      cleanup: called once after the body has ended, however it ended.
      name: of the thread.

    Clauses: BG-01 to BG-05, UN-01, UN-02, UN-10.
    """

    def __init__(
        self,
        body: Callable[[threading.Event], object],
        *,
        cleanup: Callable[[], object] | None = None,
        name: str | None = None,
    ) -> None:
        self._body = body
        self._cleanup = cleanup
        self._name = name
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        # Protected by _starting, and written once.
        self._thread: threading.Thread | None = None
        # Written by the thread before it ends; read after a join, which is after that.
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None  # the error's, as it left the body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._thread is None:
            return
        self.stop()
        try:
            self.wait()
        except BaseException:
            if error is None:
                raise
            # The block's own error goes before the body's.

    def start(self) -> None:
        """Begin the body in a thread of its own.

        When this returns the thread is accounted for: a ``wait`` waits for it, and a ``stop``
        is seen by the body even if that has not begun yet. If the system can't start a thread,
        nothing has changed.

        Raises:
          RuntimeError: it was started before, whether or not it has ended: a service is for
            one run. Make another one.

        Clauses: BG-01, BG-05.
        """
        with self._starting:
            if self._thread is not None:
                msg = "this service was started before: make a new one for each run"
                raise RuntimeError(msg)
            thread = threading.Thread(target=self._run, name=self._name)
            thread.start()
            self._thread = thread

    def stop(self) -> None:
        """Ask the body to end, and return at once; ``wait`` tells when it has.

        Anybody may call it, the body too, and again. Before ``start`` it does nothing.

        Clauses: BG-04, UN-02, UN-07, UN-08.
        """
        with self._starting:
            if self._thread is not None:
                self._stopping.set()

    def wait(self) -> None:
        """Return when the thread has ended, or raise what ended it, every time.

        That is the very object that body or clean-up raised, exit requests such as
        ``SystemExit`` included. If both raised it is the clean-up's, with the body's as its
        context. A KeyboardInterrupt in a waiting thread ends that wait alone.

        Raises:
          ReentrantCallError: the body or the clean-up waits for itself.
          RuntimeError: it was not started.

        Clauses: BG-02, BG-03, BG-04, TK-12, UN-05.
        """
        with self._starting:
            thread = self._thread
        if thread is None:
            msg = "this service was not started, so there is nothing to wait for"
            raise RuntimeError(msg)
        if thread is threading.current_thread():
            msg = "a service that waits for its own end would wait for ever"
            raise ReentrantCallError(msg)
        thread.join()
        if self._error is not None:
            # From the same traceback for everybody, or it would grow with each raise.
            raise self._error.with_traceback(self._trace)

    def _run(self) -> None:
        try:
            try:
                self._body(self._stopping)
            finally:
                if self._cleanup is not None:
                    self._cleanup()
        except BaseException as error:
            # Also SystemExit, which threading would drop without a word.
            self._error, self._trace = error, error.__traceback__

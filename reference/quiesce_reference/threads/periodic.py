"""Periodic: a function that runs each period, in a thread of its own.

A Service whose body is the loop, and whose stop event ends the waiting between runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, Self, final

from quiesce_reference.threads.durations import seconds
from quiesce_reference.threads.service import Service

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

__all__ = ["Periodic"]


@final
class Periodic:
    """Runs ``work`` at start + period, start + 2 periods, and so on.

    Runs never overlap. A due time that passes during a run is dropped, and the next run is at
    the next due time; with ``overrun="run_once"`` one of them is kept, and runs as soon as the
    long run has ended. Neither moves the due times after it.

    Use it as ``with Periodic(period, work) as periodic:``, or call ``stop`` and ``wait``
    yourself. Leaving the block stops the loop if it was started, waits, and raises what
    ``wait`` raises unless the block raised something itself. There is no other way out: a
    periodic task that nobody stops keeps the interpreter from ending.

    Args:
      period: nanoseconds, more than 0.
      work: what runs. Its return value is dropped.
      overrun: what becomes of due times that a run outlasts: ``skip`` or ``run_once``.
      on_error: given the Exception of each run that fails, in the same thread, and counted as
        part of that run. Without it, or if it fails itself, the error ends the task.

    Raises:
      ValueError: the period is 0 or less.

    Clauses: TK-08 to TK-12, UN-01, UN-02, UN-05, UN-10.
    """

    def __init__(
        self,
        period: int,
        work: Callable[[], object],
        *,
        overrun: Literal["skip", "run_once"] = "skip",
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        if period <= 0:
            msg = f"a period is more than 0 nanoseconds, not {period}"
            raise ValueError(msg)
        self._period = period
        self._work = work
        self._keeps_one = overrun == "run_once"
        self._on_error = on_error
        self._service = Service(self._loop)

    def __enter__(self) -> Self:
        self._service.__enter__()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._service.__exit__(kind, error, trace)

    def start(self) -> None:
        """Begin in a thread of its own. From there on due times are counted.

        Raises:
          RuntimeError: it was started before, whether or not it has ended.

        Clauses: BG-01, BG-05, TK-02.
        """
        self._service.start()

    def stop(self) -> None:
        """Make the loop end, and return at once; ``wait`` tells when it has.

        Between runs it ends now, without waiting for the next one. A run that is under way
        goes on to its end, and no other begins. Anybody may call it, the run too, and again.

        Clauses: TK-08, TK-12, UN-02, UN-07.
        """
        self._service.stop()

    def wait(self) -> None:
        """Return when the loop has ended, or raise the error that ended it, every time.

        Raises:
          ReentrantCallError: the run waits for its own end.
          RuntimeError: it was not started.

        Clauses: TK-08, TK-10, TK-12.
        """
        self._service.wait()

    def _loop(self, stopping: threading.Event) -> None:
        due = time.monotonic_ns() + self._period
        while True:
            # Woken by the stop itself, so no period passes in vain. A loop, because a float of
            # seconds may end a nanosecond early.
            while (left := due - time.monotonic_ns()) > 0:
                if stopping.wait(seconds(left)):
                    return
            if stopping.is_set():  # the next run was due at once, so nobody waited above
                return
            self._run()
            missed = (time.monotonic_ns() - due) // self._period
            if missed and self._keeps_one:
                due += missed * self._period  # the latest one that passed: it is due now
            else:
                due += (missed + 1) * self._period

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            if self._on_error is None:
                raise
            self._on_error(error)

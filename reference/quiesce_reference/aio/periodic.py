"""Periodic: an async function that runs each period, in a task of its own.

A Service whose body is the loop. A stop of it is an event instead of a cancellation, so that a
run which is under way goes on to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

import anyio
import anyio.lowlevel

from quiesce_reference.aio.service import Service
from quiesce_reference.rates import SECOND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Periodic"]


def _now() -> int:
    """The clock of the running event loop, to the nearest nanosecond."""
    return round(anyio.current_time() * SECOND)


@final
class Periodic:
    """Runs ``work`` at start + period, start + 2 periods, and so on.

    Runs never overlap. A due time that passes during a run is dropped, and the next run is at
    the next due time; with ``overrun="run_once"`` one of them is kept, and runs as soon as the
    long run has ended. Neither moves the due times after it.

    Use it as ``async with Periodic(period, work) as periodic:``. The task lives in that block.
    Leaving it stops the loop if it was started, waits for a run that is under way, and raises
    what ``wait`` raises unless the block raised something itself. If the block is cancelled, so
    is the run.

    Args:
      period: nanoseconds, more than 0.
      work: an async function. Its return value is dropped.
      overrun: what becomes of due times that a run outlasts: ``skip`` or ``run_once``.
      on_error: an async function, given the Exception of each run that fails, in the same task,
        and counted as part of that run. Without it, or if it fails itself, the error ends the
        task.

    Raises:
      ValueError: the period is 0 or less.

    Clauses: TK-08 to TK-12, UN-01, UN-02, UN-05, UN-10.
    """

    def __init__(
        self,
        period: int,
        work: Callable[[], Awaitable[object]],
        *,
        overrun: Literal["skip", "run_once"] = "skip",
        on_error: Callable[[Exception], Awaitable[object]] | None = None,
    ) -> None:
        if period <= 0:
            msg = f"a period is more than 0 nanoseconds, not {period}"
            raise ValueError(msg)
        self._period = period
        self._work = work
        self._keeps_one = overrun == "run_once"
        self._on_error = on_error
        self._service = Service(self._loop)
        self._stopping = anyio.Event()
        self._is_started = False

    async def __aenter__(self) -> Self:
        await self._service.__aenter__()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if self._is_started and error is None:
                self.stop()
                await self.wait()
        finally:
            # What is still there now is cancelled: the block ends by an error.
            await self._service.__aexit__(kind, error, trace)

    def start(self) -> None:
        """Begin in a task of its own. From there on due times are counted.

        Raises:
          RuntimeError: outside the block, or it was started before, whether or not it has
            ended.

        Clauses: BG-01, BG-05, TK-02.
        """
        self._service.start()
        self._is_started = True

    def stop(self) -> None:
        """Make the loop end, and return at once; ``wait`` tells when it has.

        Between runs it ends now, without waiting for the next one. A run that is under way
        goes on to its end, and no other begins. Anybody may call it, the run too, and again.

        Clauses: TK-08, TK-12, UN-02, UN-07.
        """
        if self._is_started:
            self._stopping.set()

    async def wait(self) -> None:
        """Return when the loop has ended, or raise the error that ended it, every time.

        Cancelling a wait ends that wait alone.

        Raises:
          ExecutionCancelledError: the block was cancelled from outside, and the loop with it.
          ReentrantCallError: the run waits for its own end.
          RuntimeError: it was not started.

        Clauses: TK-08, TK-10, TK-12, UN-04.
        """
        await self._service.wait()

    async def _loop(self) -> None:
        due = _now() + self._period
        while True:
            # Woken by the stop itself, so no period passes in vain. Times as floats of seconds,
            # like the event loop's: their difference, added to its "now", gives back the due
            # time to the last bit. A loop, for clocks that wake a sleeper early.
            while not self._stopping.is_set() and (now := _now()) < due:
                with anyio.move_on_after(due / SECOND - now / SECOND):
                    await self._stopping.wait()
            if self._stopping.is_set():
                return
            await self._run()
            missed = (_now() - due) // self._period
            if missed and self._keeps_one:
                due += missed * self._period  # the latest one that passed: it is due now
            else:
                due += (missed + 1) * self._period

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception as error:
            if self._on_error is None:
                raise
            await self._on_error(error)

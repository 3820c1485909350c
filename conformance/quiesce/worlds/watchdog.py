"""A watchdog for code that never gives the real thread back.

Virtual time can't see ``while True: pass`` or a real lock: only a real clock can. So a
timer of the operating system ticks while a world is open, and two ticks in the middle of
one and the same step raise ``HangError`` inside the frame that hangs. The rule counts
ticks of one step, never a total, so a long run on a slow machine is no hang.

A frame that swallows every error can't be stopped from within its process, and nothing
behind it would ever run again. So after some errors the process ends, and says why.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.errors import HangError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Watch", "place", "watchdog"]

#: Errors that one step may swallow.
SWALLOWED = 3
#: How a process ends that can't go on: EX_SOFTWARE of sysexits.h.
EXIT: Final = 70

#: Bound here because a world swaps the clocks of ``time`` while it runs.
_real_monotonic: Final = time.monotonic


@attrs.define(eq=False)
class Watch:
    """What the watchdog asks of one world."""

    limit_s: float
    progress: Callable[[], int]  # a number that changes with every step
    describe: Callable[[], str]  # the task at work
    hung: Callable[[HangError], None]  # told before the error is raised: a subject may swallow it
    running: bool = False  # False while the hub has control: the hub may take its time
    _seen: int | None = None
    _raised: int = 0  # errors in the step at work

    def tick(self, frame: FrameType | None) -> None:
        """Judge the step at work.

        Raises:
          HangError: it was at work one tick ago as well.
        """
        progress = self.progress()
        if progress != self._seen:
            self._seen = progress
            self._raised = 0
            return
        where = "in code without a Python frame" if frame is None else f"at {place(frame)}"
        error = HangError(
            f"{self.describe()} holds the real thread {where}, for {self.limit_s:g} s or more. "
            "Code in a world may wait only for what the world knows: its gates, its virtual "
            "clock and objects of its own runtime. Look for an endless loop, a real lock or "
            "real input and output."
        )
        self._raised += 1
        if self._raised > SWALLOWED:
            give_up(error)
        self.hung(error)
        raise error


def give_up(error: HangError) -> None:
    """End the process. Tests replace it."""
    os.write(2, f"quiesce: {error} It swallows this error, so the process ends.\n".encode())
    os._exit(EXIT)


def place(frame: FrameType) -> str:
    """The file's name, line and function of a frame."""
    code = frame.f_code
    return f"{PurePath(code.co_filename).name}:{frame.f_lineno} ({code.co_qualname})"


# Worlds may be open side by side and close in any order, and a process has one alarm: so
# the handler belongs to the set of watches, and is there as long as the set has members.
_watches: list[Watch] = []
_outer: _OuterAlarm | None = None


@attrs.define(eq=False)
class _OuterAlarm:
    """The alarm that was there before ours, such as a test runner's own time limit."""

    handler: Callable[[int, FrameType | None], object] | int | None
    due: float | None  # real monotonic seconds
    interval: float

    def pass_on(self, signum: int, frame: FrameType | None) -> None:
        if self.due is not None and _real_monotonic() >= self.due:
            self.due = None
            if callable(self.handler):
                self.handler(signum, frame)

    def restore(self) -> None:
        if self.handler is not None:  # None: it wasn't installed from Python
            signal.signal(signal.SIGALRM, self.handler)
        # A due time that passed meanwhile fires at once.
        left = 0.0 if self.due is None else max(self.due - _real_monotonic(), 1e-6)
        signal.setitimer(signal.ITIMER_REAL, left, self.interval if left else 0.0)


def _ring(signum: int, frame: FrameType | None) -> None:
    if _outer is not None:
        _outer.pass_on(signum, frame)
    for watch in reversed(_watches):  # the innermost running world has the thread
        if watch.running:
            watch.tick(frame)
            return


def _rearm(period: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, period, period)


@contextmanager
def watchdog(watch: Watch) -> Iterator[Watch]:
    """Keep watch over a world while the block runs.

    Does nothing off the main thread and where the system has no interval timer (Windows):
    signals reach the main thread only.
    """
    global _outer
    on_main = threading.current_thread() is threading.main_thread()
    if not (on_main and hasattr(signal, "setitimer")):
        yield watch
        return
    if not _watches:
        handler = signal.signal(signal.SIGALRM, _ring)
        left, interval = signal.setitimer(signal.ITIMER_REAL, watch.limit_s, watch.limit_s)
        _outer = _OuterAlarm(handler, _real_monotonic() + left if left else None, interval)
    elif watch.limit_s < min(other.limit_s for other in _watches):
        _rearm(watch.limit_s)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)
        if not _watches and _outer is not None:
            _outer.restore()
            _outer = None

"""Ctrl-C while a task runs: it belongs to the test, not to the operation.

Python raises KeyboardInterrupt in whatever frame is at work. In a task that would become
an operation's outcome, so while a factory is at work our own handler stops the run and
the hub raises it.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from quiesce.worlds.threads.stacks import is_own_frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from quiesce.worlds.threads.core import Core

__all__ = ["interrupts", "running"]

#: Cores whose tasks have control, the innermost last.
running: Final[list[Core]] = []

_holders = 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    if not running:
        signal.default_int_handler(signum, frame)
    core = running[-1]
    if frame is not None and is_own_frame(frame):
        core.fault = KeyboardInterrupt()  # the core is at work: let it come to an end first
    else:
        core.halt(KeyboardInterrupt(), traced=True)


@contextmanager
def interrupts() -> Iterator[None]:
    """Handle the interrupt signal while the block runs, unless somebody else does."""
    global _holders
    on_main = threading.current_thread() is threading.main_thread()
    if not on_main or signal.getsignal(signal.SIGINT) not in (
        signal.default_int_handler,
        _interrupt,
    ):
        yield
        return
    _holders += 1
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        _holders -= 1
        if not _holders:
            signal.signal(signal.SIGINT, signal.default_int_handler)

"""The process around a cell: what code under test changes in it is put back.

A library may set a trace function, take a signal or replace the standard output. Whatever
it leaves so would change the cells after it, and the run of whoever started us.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["put_back"]


def _set_collecting(on: bool) -> None:
    gc.enable() if on else gc.disable()


def _set_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _attribute(module: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    return lambda: getattr(module, name, None), lambda value: setattr(module, name, value)


#: What is looked after: its name in notes, how it is read, how it is set.
LOOKED_AFTER: Final[tuple[tuple[str, Callable[[], Any], Callable[[Any], object]], ...]] = (
    ("the trace function", sys.gettrace, sys.settrace),
    ("the profile function", sys.getprofile, sys.setprofile),
    ("the trace function of new threads", threading.gettrace, threading.settrace),
    ("the profile function of new threads", threading.getprofile, threading.setprofile),
    ("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    ("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    ("the garbage collector", gc.isenabled, _set_collecting),
    ("the working directory", os.getcwd, os.chdir),
    ("the environment", lambda: dict(os.environ), _set_environment),
    *(
        (f"sys.{name}", *_attribute(sys, name))
        for name in ("stdin", "stdout", "stderr", "excepthook", "unraisablehook", "displayhook")
    ),
    ("threading.excepthook", *_attribute(threading, "excepthook")),
)


@contextmanager
def put_back() -> Iterator[list[str]]:
    """Note the state of the process, and put it back after the block.

    Yields:
      A list that holds, after the block, the names of what had changed.
    """
    changed: list[str] = []
    before = [read() for _, read, _ in LOOKED_AFTER]
    handlers = _handlers()
    try:
        yield changed
    finally:
        for (name, read, write), value in zip(LOOKED_AFTER, before, strict=True):
            if read() != value:
                write(value)
                changed.append(name)
        for number, handler in _handlers().items():
            if handler != handlers[number] and handlers[number] is not None:
                signal.signal(number, handlers[number])
                changed.append(f"the handler of {number.name}")


def _handlers() -> dict[signal.Signals, Any]:
    """The signals' handlers, which only the main thread can set. None is not Python's to set."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in signal.Signals}

"""What a run of trio keeps outside itself, and all of trio's private names that we touch.

trio keeps the current run per real thread, and greenlets share one thread. So this state
is put in place when a world gets control, and what was there before when the hub does.
Otherwise the hub could start no other ``trio.run``, and anyio in an asyncio world beside
this one would think that it runs on trio.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from typing import Any, Final, Protocol, final

import sniffio
import trio
from trio._core import _run

__all__ = ["Picker", "RunState", "idle_waiters"]

_context: Final[dict[str, Any]] = _run.GLOBAL_RUN_CONTEXT.__dict__
_names: Final[dict[str, Any]] = vars(_run)
_SORTED: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"  # whether a batch is sorted by birth,
_RANDOM: Final = "_r"  # and then shuffled by this


class Picker(random.Random):
    """Stands for trio's source of randomness: decides the order within a batch."""

    def shuffle(self, x: Any) -> None:
        """Arrange a batch of tasks, sorted by birth; they run from the end to the start."""
        x.reverse()


class _Shuffles(Protocol):
    def shuffle(self, x: Any) -> None: ...


@final
class RunState:
    """The state of one run: empty before it starts and after it ends."""

    def __init__(self, picker: Picker | None) -> None:
        self._picker = picker  # None leaves the order to trio
        self._run: dict[str, Any] = {}
        self._library: str | None = None
        self._hooks: Any = (None, None)
        self._outside: Any = ()

    def enter(self) -> None:
        """Put the run's state in place."""
        local = sniffio.thread_local
        main = threading.current_thread() is threading.main_thread()
        self._outside = (
            dict(_context),
            local.name,
            sys.get_asyncgen_hooks(),
            # trio wants to be woken by signals; this run never sleeps.
            signal.set_wakeup_fd(-1) if main else None,
            _names.get(_SORTED),
            _names.get(_RANDOM),
        )
        _context.clear()
        _context.update(self._run)
        local.name = self._library
        sys.set_asyncgen_hooks(*self._hooks)
        if self._picker is not None:
            _names[_SORTED], _names[_RANDOM] = True, self._picker

    def leave(self) -> None:
        """Put back what ``enter`` found."""
        local = sniffio.thread_local
        self._run, self._library = dict(_context), local.name
        self._hooks = sys.get_asyncgen_hooks()
        run, local.name, hooks, wakeup, is_sorted, source = self._outside
        self._outside = ()
        _context.clear()
        _context.update(run)
        sys.set_asyncgen_hooks(*hooks)
        if wakeup is not None:
            signal.set_wakeup_fd(wakeup)
        if self._picker is not None:
            _names[_SORTED], _names[_RANDOM] = is_sorted, source

    def forget_task(self) -> object:
        """Take the task at work out of the state in place: the hub is no task."""
        return _context.pop("task", None)

    def restore_task(self, task: object) -> None:
        """Put it back."""
        if task is not None:
            _context["task"] = task

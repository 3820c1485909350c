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
from typing import TYPE_CHECKING, Any, Final, final

import sniffio
from trio._core import _run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RunState", "Shuffle", "idle_cushion", "in_task"]

_names: Final[dict[str, Any]] = vars(_run)
_SORTED: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"  # whether a batch is sorted by birth,
_RANDOM: Final = "_r"  # and then shuffled by this


@final
class Shuffle(random.Random):
    """Stands for trio's source of randomness: decides the order within a batch of tasks.

    Args:
      arrange: gets a batch in birth order and returns it in the order in which to run it.
    """

    def __new__(cls, arrange: Callable[[list[Any]], list[Any]]) -> Shuffle:  # noqa: ARG004 - not a seed
        """Keep the argument from the base class, which takes it for a seed."""
        return super().__new__(cls)

    def __init__(self, arrange: Callable[[list[Any]], list[Any]]) -> None:
        super().__init__(0)
        self._arrange = arrange

    def shuffle(self, x: Any) -> None:
        """Arrange the batch in place."""
        x[:] = reversed(self._arrange(x))  # trio runs it from the end to the start


def in_task() -> bool:
    """Whether a task of the run in place is at work (public in newer versions of trio)."""
    return "task" in _context()


def idle_cushion() -> float | None:
    """How long ``wait_all_tasks_blocked`` of the run in place waits; None if nothing waits."""
    runner = _context().get("runner")
    waiting = getattr(runner, "waiting_for_idle", None)
    return waiting.keys()[0][0] if waiting else None


def _context() -> dict[str, Any]:
    return _run.GLOBAL_RUN_CONTEXT.__dict__  # each real thread has its own


@final
class RunState:
    """The state of one run: empty before it starts and after it ends.

    Args:
      shuffle: decides the order of tasks while the run is in place; None leaves it to trio.
    """

    def __init__(self, shuffle: Shuffle | None) -> None:
        self._shuffle = shuffle if _SORTED in _names and _RANDOM in _names else None
        self._on_main = threading.current_thread() is threading.main_thread()
        self._run: dict[str, Any] = {}
        self._library: str | None = None
        self._hooks: Any = (None, None)
        self._outside: Any = ()

    def enter(self) -> None:
        """Put the run's state in place."""
        context, local = _context(), sniffio.thread_local
        self._outside = (
            dict(context),
            local.name,
            sys.get_asyncgen_hooks(),
            # trio asks signals to wake it, but this run never sleeps.
            signal.set_wakeup_fd(-1) if self._on_main else None,
            _names.get(_SORTED),
            _names.get(_RANDOM),
        )
        context.clear()
        context.update(self._run)
        local.name = self._library
        sys.set_asyncgen_hooks(*self._hooks)
        if self._shuffle is not None:
            _names[_SORTED], _names[_RANDOM] = True, self._shuffle

    def leave(self) -> None:
        """Put back what ``enter`` found."""
        context, local = _context(), sniffio.thread_local
        self._run, self._library = dict(context), local.name
        self._hooks = sys.get_asyncgen_hooks()
        run, local.name, hooks, wakeup, is_sorted, source = self._outside
        self._outside = ()
        context.clear()
        context.update(run)
        sys.set_asyncgen_hooks(*hooks)
        if wakeup is not None:
            signal.set_wakeup_fd(wakeup)
        if self._shuffle is not None:
            _names[_SORTED], _names[_RANDOM] = is_sorted, source

    def take_task(self) -> object:
        """Take the task at work out of the state in place: what the hub calls is no task."""
        return _context().pop("task", None)

    def put_task(self, task: object) -> None:
        """Put it back."""
        if task is not None:
            _context()["task"] = task

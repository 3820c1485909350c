"""The instrument that counts trio's steps and gives control back after the right one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, final

import trio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Steps"]

#: Steps that every living task may take at one instant, on top of the spin limit.
STEPS_PER_TASK: Final = 200
#: Steps at one instant that tasks born meanwhile can't add to: a task may spin by starting others.
MOST_STEPS: Final = 200_000
#: Steps looked at to find which task spins.
SPIN_SAMPLE: Final = 100


@final
class Steps(trio.abc.Instrument):
    """Knows the tasks that are not trio's own: alive, ready, at work.

    trio removes an instrument that raises, so nothing here does.

    Args:
      pause: gives control to the hub and returns when the run is to go on.
      thread_seen: told, after a step, that code in the run has a real thread at work.
      spin_limit: steps without coming to rest before the run is paused as spinning.

    Attributes:
      alive: the birth number of each task, in birth order.
      ready: those that can run.
      own: trio's and the world's, in birth order; all are born before the others.
      current: the one that took the last step.
      total: steps since the start.
      spinning: steps of each task in the sample, empty unless the run spins.
      urgent: whether to pause after the current step.
    """

    def __init__(
        self, *, pause: Callable[[], None], thread_seen: Callable[[], None], spin_limit: int
    ) -> None:
        self.alive: dict[trio.lowlevel.Task, int] = {}
        self.ready: set[trio.lowlevel.Task] = set()
        self.current: trio.lowlevel.Task | None = None
        self.total = 0
        self.spinning: Counter[trio.lowlevel.Task] = Counter()
        self.urgent = False
        self._pause = pause
        self._thread_seen = thread_seen
        self._spin_limit = spin_limit
        self.own: list[trio.lowlevel.Task] = []
        self._limiter: trio.CapacityLimiter | None = None
        self._budget: int | None = None
        self._start = 0  # the total at the last begin(),
        self._limit = 0  # the total from which on the run spins,
        self._cap = 0  # and the bound of its growth
        self._born = 0

    def open(self) -> None:
        """From here on tasks belong to code under test; called in the world's main task."""
        # The limiter gives away work in a thread that was there before the world.
        self._limiter = trio.to_thread.current_default_thread_limiter()

    def begin(self, budget: int | None) -> None:
        """Pause after so many steps; for None, at rest or when the run spins."""
        self._budget = budget
        self._start = self.total
        self._limit = self.total + self._spin_limit + STEPS_PER_TASK * len(self.alive)
        self._cap = max(self._limit, self.total + MOST_STEPS)
        self.spinning.clear()

    @property
    def spin_limit(self) -> int:
        """Steps since ``begin`` after which the run spins."""
        return self._limit - self._start

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Number the task."""
        if self._limiter is None:
            self.own.append(task)
        else:
            self.alive[task] = self._born
            self._born += 1
            grown = self._start + self._spin_limit + STEPS_PER_TASK * len(self.alive)
            self._limit = max(self._limit, min(grown, self._cap))

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Forget the task."""
        self.alive.pop(task, None)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """Note that it is ready."""
        if task in self.alive:
            self.ready.add(task)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Note which task works."""
        self.total += 1
        self.current = task
        self.ready.discard(task)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Pause if it is time."""
        if self._limiter is None:
            return
        if self._limiter.borrowed_tokens:
            self._thread_seen()
        pause = self.urgent
        if self._budget is not None:
            if task not in self.own:
                self._budget -= 1
                pause = pause or self._budget <= 0
        elif self.total > self._limit:
            self.spinning[task] += 1
            pause = pause or self.total >= self._limit + SPIN_SAMPLE
        if pause:
            self._pause()

"""Choices: when the scheduler is asked which task runs next, and what it may answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, final

import attrs

from quiesce.errors import HarnessError, SpinError

if TYPE_CHECKING:
    from quiesce.schedulers.scheduler import Scheduler
    from quiesce.worlds.threads.tasks import Task

__all__ = ["Choices"]

#: A choice number that no run reaches.
_NEVER: Final = sys.maxsize

#: Choices in a row that one task may pass without handing over, before it has to yield: the
#: default schedule would otherwise let ``while not flag: pass`` run for ever.
_FAIR: Final = 2_000

#: Enabled tasks up to which a scheduler is given a list of them; above, a view.
_FEW: Final = 64


@final
class _Numbers(Sequence[int]):
    """The numbers of many tasks, without a copy for a scheduler that doesn't look."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [task.number for task in self._tasks[index]]
        return self._tasks[index].number


@final
@attrs.define(eq=False)
class Choices:
    """The choices of one run after another.

    A choice is a point that is passed, or a wait that begins, while two or more tasks are
    enabled. Each is counted, but few have to be looked at.

    Attributes:
      step_limit: choices at one instant, per live task, after which the run has to spin.
      step: number of the next choice.
      stop: number from which on a point has to look closer.
      scheduler: None is run-until-blocked.
    """

    step_limit: int
    step: int = 0
    stop: int = _NEVER
    scheduler: Scheduler | None = None
    always: bool = False  # every point has to look closer
    _next_ask: int = _NEVER
    _news: bool = False  # a task became ready since the scheduler was last asked
    _limit_at: int = _NEVER
    _fair_at: int = _NEVER
    _seen: Task | None = None  # who ran at the last look at fairness

    def begin(self, scheduler: Scheduler | None) -> None:
        """Start a run."""
        self.step = 0
        self.scheduler = scheduler
        self.always = False
        self._next_ask = _NEVER if scheduler is None else scheduler.next_ask
        self._news = False

    def enter(self, live: int) -> None:
        """Start counting for one instant with ``live`` tasks alive."""
        self._limit_at = self.step + self.step_limit * (live + 1)
        self._fair_at = self.step + _FAIR
        self._seen = None
        self.aim()

    def aim(self) -> None:
        """Compute ``stop`` anew."""
        if self.always or self._news:
            self.stop = -1
        else:
            self.stop = min(self._next_ask, self._limit_at, self._fair_at)

    def notice(self) -> None:
        """A task became ready: a scheduler may want to choose it at the next point."""
        if self.scheduler is not None:
            self._news = True
            self.stop = -1

    def is_unfair(self, step: int, task: Task) -> bool:
        """Whether ``task`` has had so many choices for itself that it has to yield."""
        if step < self._fair_at:
            return False
        self._fair_at = step + _FAIR
        if self._seen is task:
            return True
        self._seen = task
        return False

    def choose(self, step: int, enabled: Sequence[Task], *, forced: bool) -> int:
        """Make choice ``step``, by asking the scheduler if need be.

        Raises:
          SpinError: there were too many at this instant.
          HarnessError: the answer is no option.
          Exception: whatever the scheduler raises.
        """
        if step >= self._limit_at:
            who = ", ".join(task.name() for task in enabled[:4])
            raise SpinError(
                f"tasks keep running at a frozen clock: {self.step_limit} choices for each live "
                f"task at one instant; able to run: {who}"
            )
        scheduler = self.scheduler
        index = 0
        if scheduler is not None and (forced or self._news or step >= self._next_ask):
            few = len(enabled) <= _FEW
            numbers = [task.number for task in enabled] if few else _Numbers(enabled)
            index = scheduler.choose(numbers, step=step, forced=forced)
            if not 0 <= index < len(enabled):
                raise HarnessError(
                    f"the scheduler chose option {index} of {len(enabled)} at choice {step}"
                )
            self._next_ask = scheduler.next_ask
            self._news = False
        self.aim()
        return index

    def choose_data(self, options: int, label: str) -> int:
        """Choose a number below ``options``; 0 without a scheduler."""
        scheduler = self.scheduler
        if scheduler is None:
            return 0
        value = scheduler.choose_data(options, label=label)
        self._next_ask = scheduler.next_ask
        self.aim()
        return value

"""Probabilistic concurrency testing: random priorities and a few change points.

After Burckhardt, Kothari, Musuvathi and Nagarakatte (ASPLOS 2010). The enabled task with
the highest priority runs. At each of ``depth - 1`` change points, and when it yields, the
task that would run drops below all others first. With n tasks and k choices an execution
finds a bug of depth d with a probability of at least 1/(n * k**(d-1)).

All randomness of an execution is a small plan made before it, a ``PctPlan``. Its shape
is fixed and its zeros mean "nothing special", so a plan that Hypothesis draws shrinks to
the one preemption that matters, which a draw for each step doesn't.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, final

import attrs
from hypothesis import strategies as st

from quiesce.schedulers.recording import NEVER, Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.schedulers.scheduler import Schedule

__all__ = ["Pct", "PctPlan", "Priorities", "pct_plans"]

_DATA: Final = 8  # choices of data that a plan may decide
_SPARE: Final = 6  # ranks for tasks that were never seen before
_WIDE: Final = 60  # divisible by 2, 3, 4, 5 and 6: the usual numbers of options are fair


@attrs.frozen
class PctPlan:
    """The randomness of one execution. All zeros: earlier tasks go first, undisturbed.

    Attributes:
      ranks: for each task in birth order, how many of the tasks known when it first becomes
        enabled it outranks, at most all. Tasks beyond the end outrank none.
      changes: change points as 1 + step of the choice; 0 is none.
      data: the first choices of data, each modulo its number of options; 0 beyond the end.
    """

    ranks: tuple[int, ...] = ()
    changes: tuple[int, ...] = ()
    data: tuple[int, ...] = ()


def pct_plans(
    *, tasks: int = 4, changes: int = 2, within: Sequence[int] = (8, 32, 128), data: int = 0
) -> st.SearchStrategy[PctPlan]:
    """Plans for Hypothesis to draw before a run, and after the program it is for.

    Args:
      tasks: how many ranks to draw.
      changes: how many change points to draw.
      within: a change point lies in the first so many choices, one of these numbers being
        drawn. They must not depend on earlier examples.
      data: how many choices of data to draw.
    """

    def of(k: int) -> st.SearchStrategy[PctPlan]:
        return st.builds(
            PctPlan,
            changes=st.tuples(*[st.integers(0, k)] * changes),
            ranks=st.tuples(*(st.integers(0, task) for task in range(tasks))),
            data=st.tuples(*[st.integers(0, _WIDE - 1)] * data),
        )

    return st.sampled_from(within).flatmap(of)


@final
class Priorities(Recording):
    """One execution under one plan."""

    def __init__(self, plan: PctPlan) -> None:
        super().__init__()
        self._plan = plan
        self._changes = sorted({change - 1 for change in plan.changes if change})
        self._order: list[int] = []  # every task seen so far, highest priority first
        self._known: set[int] = set()  # the same
        self._last = -1  # the task last chosen
        self._begun = False

    def begin(self) -> bool:
        """Whether this is the first and only execution."""
        first = not self._begun
        self._begun = True
        return first

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Choose the enabled task with the highest priority."""
        ready = set(enabled)
        for task in sorted(ready - self._known):
            self._add(task)
        if forced and enabled[-1] == self._last:  # it yielded
            self._drop(self._last)
        while self._changes and self._changes[0] <= step:
            if self._changes.pop(0) == step:
                self._drop(self._highest(ready))
        self._last = self._highest(ready)
        # Until then it runs on; the world asks anyway when it can't or another wakes.
        self.next_ask = self._changes[0] if self._changes else NEVER
        return self._take(step, enabled.index(self._last))

    def choose_data(self, options: int, *, label: str) -> int:  # noqa: ARG002 - the contract's arguments
        """Choose as planned."""
        planned = self._plan.data
        number = self._data_asked
        return self._take_data(planned[number] % options if number < len(planned) else 0)

    def end(self, *, failed: bool) -> None:
        """Nothing is learnt from the outcome."""

    def _add(self, task: int) -> None:
        rank = self._plan.ranks[task] if task < len(self._plan.ranks) else 0
        self._order.insert(max(0, len(self._order) - rank), task)
        self._known.add(task)

    def _drop(self, task: int) -> None:
        self._order.remove(task)
        self._order.append(task)

    def _highest(self, ready: set[int]) -> int:
        return next(task for task in self._order if task in ready)


@final
class Pct:
    """A number of executions under random plans, the same for the same seed.

    The number of choices, k in the formula, is the largest one seen so far.

    Args:
      depth: of the bugs looked for: one more than the change points.
      executions: how many.
      seed: for the plans.
    """

    def __init__(self, *, depth: int, executions: int, seed: int) -> None:
        self.next_ask = 0
        self._depth = depth
        self._left = executions
        self._random = Random(seed)
        self._choices = 0  # most choices and tasks in an execution so far
        self._tasks = 1
        self._run = Priorities(PctPlan())

    def begin(self) -> bool:
        """Draw the next plan, unless all executions have run."""
        if not self._left:
            return False
        self._left -= 1
        self._run = Priorities(self._draw())
        self._run.begin()
        self._aim()
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Choose by the plan."""
        self._choices = max(self._choices, step + 1)
        self._tasks = max(self._tasks, max(enabled) + 1)
        index = self._run.choose(enabled, step=step, forced=forced)
        self._aim()
        return index

    def choose_data(self, options: int, *, label: str) -> int:
        """Choose by the plan."""
        return self._run.choose_data(options, label=label)

    def end(self, *, failed: bool) -> None:
        """Nothing is learnt from the outcome."""

    @property
    def schedule(self) -> Schedule:
        """The current or last execution's schedule, for replay."""
        return self._run.schedule

    def _aim(self) -> None:
        # Asked at the first choice beyond all known ones, it notices a longer execution.
        self.next_ask = min(self._run.next_ask, self._choices)

    def _draw(self) -> PctPlan:
        # Scaled by hand: the plan is made before each execution, and randint costs as much
        # as the execution of a small program.
        draw = self._random.random
        within = self._choices + 1
        return PctPlan(
            # An insertion at a uniform rank makes every order of priorities equally likely.
            # This execution may start more tasks than any before.
            ranks=tuple([int(draw() * task) for task in range(1, 2 * self._tasks + _SPARE + 1)]),
            # Unlike the paper with repeats and none: a short execution isn't all changes.
            changes=tuple([int(draw() * within) for _ in range(self._depth - 1)]),
            data=tuple([int(draw() * _WIDE) for _ in range(_DATA)]),
        )

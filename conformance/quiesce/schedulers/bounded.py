"""Deviation-bounded search: all schedules with no deviation, then with 1, then with 2.

Breadth first, so the first failing schedule has the fewest deviations there are, and
the only strategy that can say what it has covered: its ``Certificate``. Any choice that
isn't the default counts, also a forced one. Iterative bounding is from CHESS
(Musuvathi and Qadeer, PLDI 2007); counting every deviation makes it close to delay
bounding (Emmi, Qadeer and Rakamaric, POPL 2011).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, final

import attrs

from quiesce.schedulers.replay import Replay
from quiesce.schedulers.scheduler import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Bounded", "Certificate"]


@attrs.frozen
class Certificate:
    """What a bounded search has covered, and nothing more.

    Attributes:
      level: every schedule with at most this many deviations ran; -1 before the default
        run has ended.
      executions: how many schedules ran, without repeats.
      cut: fraction of the next level that ran, from 0.0 to less than 1.0.
      ended: whether no schedule is left at any level: the program has no other run.
    """

    level: int = -1
    executions: int = 0
    cut: float = 0.0
    ended: bool = False


@attrs.frozen
class _Run:
    """An execution and the choices after its last deviation, where its children deviate.

    Attributes:
      schedule: what ran.
      places: the step of each choice of tasks, ``~number`` of each choice of data.
      options: how many options each had.
      children: how many schedules have one more deviation behind the last.
    """

    schedule: Schedule
    places: array[int]  # arrays, for there may be millions of choices in a level
    options: array[int]
    children: int

    def child(self, which: int) -> Schedule:
        """The schedule of the child numbered ``which``."""
        for place, options in zip(self.places, self.options, strict=True):
            if which < options - 1:
                tasks, data = self.schedule.tasks, self.schedule.data
                if place >= 0:
                    return Schedule((*tasks, (place, which + 1)), data)
                return Schedule(tasks, (*data, (~place, which + 1)))
            which -= options - 1
        raise IndexError(which)


@final
class Bounded:
    """Searches level by level until a failure, the bound or the budget.

    A level that doesn't fit into the budget is sampled uniformly without repeats.

    Args:
      max_deviations: the last level.
      budget: executions in all, at least 1.
      sample_seed: for the sample of a level that is cut.
    """

    def __init__(self, *, max_deviations: int, budget: int, sample_seed: int = 0) -> None:
        self.next_ask = 0
        self.failing: Schedule | None = None  # has the fewest deviations of all failing ones
        self._max_deviations = max_deviations
        self._budget = budget
        self._random = Random(sample_seed)
        self._queue = self._search()
        self._replay = Replay(Schedule())
        self._places = array("q")
        self._options = array("q")
        self._data_asked = 0
        self._runs: list[_Run] = []  # of the level in work, unless it's the last
        self._level = 0
        self._size = 1  # schedules at the level in work,
        self._done = 0  # those which ran,
        self._children = 0  # and how many schedules of the next level follow from them
        self._executions = 0

    @property
    def level(self) -> int:
        """How many deviations the current execution has."""
        return self._level

    @property
    def certificate(self) -> Certificate:
        """What has been covered so far."""
        if self._done == self._size:
            ended = not self._children
            return Certificate(self._level, self._executions, cut=0.0, ended=ended)
        return Certificate(self._level - 1, self._executions, cut=self._done / self._size)

    @property
    def schedule(self) -> Schedule:
        """The current or last execution's schedule, for replay."""
        return self._replay.schedule

    def begin(self) -> bool:
        """Start the next execution, unless one has failed or the search has ended."""
        if self.failing is not None:
            return False
        schedule = next(self._queue, None)
        if schedule is None:
            return False
        self._replay = Replay(schedule)
        self._replay.begin()
        self._places, self._options = array("q"), array("q")
        self._data_asked = 0
        self._aim()
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Repeat the schedule's deviations; after the last, take notes and the default.

        Raises:
          Diverged: an execution differs from its parent before the new deviation.
        """
        if self._replay.finished:
            self._places.append(step)
            self._options.append(len(enabled))
            return 0
        index = self._replay.choose(enabled, step=step, forced=forced)
        self._aim()
        return index

    def choose_data(self, options: int, *, label: str) -> int:
        """As ``choose``, for a choice of data."""
        if self._replay.finished:
            self._places.append(~self._data_asked)
            self._options.append(options)
            value = 0
        else:
            value = self._replay.choose_data(options, label=label)
            self._aim()
        self._data_asked += 1
        return value

    def end(self, *, failed: bool) -> None:
        """Note the choices which the execution offered.

        Raises:
          Diverged: the execution ended before its schedule did.
        """
        self._replay.end(failed=failed)
        self._executions += 1
        self._done += 1
        children = sum(self._options) - len(self._options)
        self._children += children
        if children and self._level < self._max_deviations:
            self._runs.append(
                _Run(self._replay.schedule, self._places, self._options, children),
            )
        if failed:
            self.failing = self._replay.schedule

    def _aim(self) -> None:
        self.next_ask = 0 if self._replay.finished else self._replay.next_ask

    def _search(self) -> Iterator[Schedule]:
        yield Schedule()
        while self._level < self._max_deviations and self._children:
            left = self._budget - self._executions
            if left <= 0:
                return
            parents, self._runs = self._runs, []
            starts = list(accumulate((run.children for run in parents), initial=0))
            self._level, self._size = self._level + 1, starts[-1]
            self._done = self._children = 0
            whole = self._size <= left
            for pick in (
                range(self._size) if whole else self._random.sample(range(self._size), left)
            ):
                parent = bisect_right(starts, pick) - 1
                yield parents[parent].child(pick - starts[parent])
            if not whole:
                return

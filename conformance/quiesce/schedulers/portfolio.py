"""The portfolio: which strategies share a budget, and how a failure is made minimal.

No strategy wins everywhere, so after the default run and level 1 of the bounded search
they take turns. The whole search is a function of its seed: no clock is read.
"""

from __future__ import annotations

from collections import Counter
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Final, final

import attrs

from quiesce.schedulers.bounded import Bounded, Certificate
from quiesce.schedulers.pct import Pct
from quiesce.schedulers.random_walk import RandomWalk
from quiesce.schedulers.replay import Replay
from quiesce.schedulers.scheduler import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["CI", "DEEP", "QUICK", "Budget", "Portfolio", "minimise"]


@attrs.frozen
class Budget:
    """How much to search.

    Attributes:
      executions: in all.
      bounded: those for the bounded search, level 1 first. If that doesn't fit it's
        sampled.
      deviations: last level of the bounded search.
      depth: bug depth that PCT aims at.
      slice: executions of one turn.
    """

    executions: int
    bounded: int
    deviations: int = 2
    depth: int = 3
    slice: int = 10


QUICK: Final = Budget(executions=200, bounded=150)
CI: Final = Budget(executions=2_000, bounded=1_200, slice=20)
DEEP: Final = Budget(executions=20_000, bounded=12_000, deviations=3, slice=50)


@final
class Portfolio:
    """Default run, level 1, then slices of PCT, level 2 and random walk, until a failure.

    Args:
      budget: how much to search.
      seed: of everything random.
    """

    def __init__(self, budget: Budget, *, seed: int) -> None:
        self.next_ask = 0
        self.failing: Schedule | None = None
        self._budget = budget
        self._seeds = Random(seed)
        self._bounded = Bounded(
            max_deviations=budget.deviations,
            budget=min(budget.bounded, budget.executions),
            sample_seed=self._seeds.getrandbits(32),
        )
        self._name = "bounded"
        self._current: Scheduler = self._bounded
        self._started = self._start()
        self._ran: Counter[str] = Counter()

    @property
    def ran(self) -> Mapping[str, int]:
        """How many schedules each strategy ran: ``bounded``, ``pct``, ``random``."""
        return dict(self._ran)

    @property
    def certificate(self) -> Certificate:
        """What the bounded search has covered; the other strategies cover nothing for sure."""
        return self._bounded.certificate

    @property
    def schedule(self) -> Schedule:
        """The current or last execution's schedule, for replay."""
        return self._current.schedule

    def begin(self) -> bool:
        """Start the next execution, unless one failed, none is left or the budget is used."""
        if self.failing is not None or self._ran.total() >= self._budget.executions:
            return False
        started = next(self._started, None)
        if started is None:
            return False
        self._name, self._current = started
        self.next_ask = self._current.next_ask
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Ask the strategy whose turn it is."""
        index = self._current.choose(enabled, step=step, forced=forced)
        self.next_ask = self._current.next_ask
        return index

    def choose_data(self, options: int, *, label: str) -> int:
        """Ask the strategy whose turn it is."""
        value = self._current.choose_data(options, label=label)
        self.next_ask = self._current.next_ask
        return value

    def end(self, *, failed: bool) -> None:
        """Tell the strategy whose turn it is."""
        self._current.end(failed=failed)
        self._ran[self._name] += 1
        if failed:
            self.failing = self._current.schedule

    def _start(self) -> Iterator[tuple[str, Scheduler]]:
        """Start one execution after another; yield the strategy, and its name, in charge."""
        bounded = self._bounded
        while bounded.level < 2 and bounded.begin():
            yield "bounded", bounded
        most = self._budget.executions
        pct = Pct(depth=self._budget.depth, executions=most, seed=self._seeds.getrandbits(32))
        walk = RandomWalk(executions=most, seed=self._seeds.getrandbits(32))
        turns: tuple[tuple[str, Scheduler], ...] = (
            ("pct", pct),
            ("bounded", bounded),
            ("random", walk),
        )
        for name, strategy in cycle(turns):
            for _ in range(self._budget.slice):
                if bounded.certificate.ended:  # there's nothing that others could find
                    return
                if not strategy.begin():
                    break
                yield name, strategy


def minimise(
    run: Callable[[Scheduler], bool], schedule: Schedule, *, budget: int, seed: int = 0
) -> Schedule:
    """Find a failing schedule with few deviations, given one that may have many.

    Deviations can't simply be deleted, since each changes what the later ones mean. So the
    bounded search looks for a failure of its own below the given count; only if that
    doesn't fit into its half of the budget, the rest goes into deleting what can be.

    Args:
      run: runs the program once under a scheduler and tells whether it fails in the same
        way. It calls neither ``begin`` nor ``end``.
      schedule: fails.
      budget: executions at most.
      seed: for the sample of a level that the bounded search can't finish.

    Returns:
      A failing schedule; minimal if the bounded search finished the levels below it.
    """
    if not schedule.deviations:
        return schedule
    search = Bounded(
        max_deviations=schedule.deviations - 1, budget=max(1, budget // 2), sample_seed=seed
    )
    used = 0
    while search.begin():
        search.end(failed=run(search))
        used += 1
    if search.failing is not None:
        return search.failing
    certificate = search.certificate
    if certificate.ended or certificate.level == schedule.deviations - 1:
        return schedule
    return _delete(run, schedule, budget - used)


def _delete(run: Callable[[Scheduler], bool], schedule: Schedule, budget: int) -> Schedule:
    """Delete runs of deviations, halving their length, as long as the rest fails."""
    length = schedule.deviations
    while length := length // 2:
        start = 0
        while start < schedule.deviations:
            if not budget:
                return schedule
            budget -= 1
            replay = Replay(_without(schedule, start, length), strict=False)
            replay.begin()
            if run(replay) and replay.schedule.deviations < schedule.deviations:
                schedule = replay.schedule
            else:
                start += length
    return schedule


def _without(schedule: Schedule, start: int, length: int) -> Schedule:
    """The schedule without ``length`` deviations from the ``start``-th; data come last."""
    stop = start + length
    split = len(schedule.tasks)
    tasks = schedule.tasks[:start] + schedule.tasks[stop:]
    data = schedule.data[: max(0, start - split)] + schedule.data[max(0, stop - split) :]
    return Schedule(tasks, data)

"""The contract between a world with choices and the strategy that makes them.

A schedule is a plain value: the places where it differs from the default. Index 0 is
always the default (go on with the running task; else the next in round-robin order), so
the empty schedule is the run-until-blocked run, and every non-zero entry is one
*deviation*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Schedule", "Scheduler"]


@attrs.frozen
class Schedule:
    """Deviations from the run-until-blocked run; comparable and serialisable.

    Attributes:
      tasks: pairs (step, index): at choice ``step`` the ``index``-th enabled task ran, in
        the order of the point. Sorted by step; an index is never 0.
      data: pairs (step, value) for choices of data, in a numbering of their own.
    """

    tasks: tuple[tuple[int, int], ...] = ()
    data: tuple[tuple[int, int], ...] = ()

    @property
    def deviations(self) -> int:
        """How many choices differ from the default."""
        return len(self.tasks) + len(self.data)


class Scheduler(Protocol):
    """A strategy. One object lives through a whole search, one execution after another.

    Attributes:
      next_ask: the next choice (its ``step``) that the strategy wants to make. A world
        may take option 0 without asking while ``step < next_ask``, unless the choice is
        forced or a task has become enabled since the world last asked. It may also ask
        anyway, and gets the same answer. Read it after ``begin`` and after each choice,
        also of data.
    """

    next_ask: int

    def begin(self) -> bool:
        """Get ready for an execution, or return False if the search has ended."""

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Choose among 2 or more enabled tasks; return an index into ``enabled``.

        Index 0 is the default. A world calls this from any of its tasks, at a point
        where nothing else runs.

        Args:
          enabled: the numbers of the enabled tasks. A task's number is its birth order in
            the execution, from 0. First comes the running task if it is still enabled,
            then the others in round-robin order after it, so a task that yielded is last.
          step: number of this choice within the execution, from 0. Points with one
            enabled task are no choices and have no number.
          forced: whether the running task can't go on (blocked, ended or yielding), so
            that choosing 0 is no preemption but choosing is unavoidable.
        """

    def choose_data(self, options: int, *, label: str) -> int:
        """Choose a number below ``options`` (2 or more); 0 is the default.

        Every choice of data is asked, and counted from 0 on its own.
        """

    def end(self, *, failed: bool) -> None:
        """Learn how the execution ended."""

    @property
    def schedule(self) -> Schedule:
        """The current or last execution's schedule, for replay."""

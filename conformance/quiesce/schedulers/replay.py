"""Replay: one execution that follows a recorded schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from quiesce.errors import HarnessError
from quiesce.schedulers.recording import NEVER, Recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce.schedulers.scheduler import Schedule

__all__ = ["Diverged", "Replay"]

_CAUSE = (
    "The program or a library differs from the recorded one, or a run depends on something "
    "real: the wall clock, hash order, object addresses, an unmanaged thread."
)


class Diverged(HarnessError):
    """The execution doesn't offer what the schedule takes; the message names the step."""


@final
class Replay(Recording):
    """Follows ``schedule``, and takes the default wherever it says nothing.

    Args:
      schedule: the deviations to repeat.
      strict: whether a deviation that the execution doesn't offer raises ``Diverged``.
        Otherwise it's dropped, and ``schedule`` afterwards tells what was really done.
    """

    def __init__(self, schedule: Schedule, *, strict: bool = True) -> None:
        super().__init__()
        self._wanted = schedule
        self._strict = strict
        self._begun = False
        self._next_task = 0  # places in the wanted tasks and data
        self._next_datum = 0
        self._aim()

    @property
    def finished(self) -> bool:
        """Whether every deviation of the schedule is behind."""
        return self._next_task == len(self._wanted.tasks) and self._next_datum == len(
            self._wanted.data
        )

    def begin(self) -> bool:
        """Whether this is the first and only execution."""
        first = not self._begun
        self._begun = True
        return first

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        """Take the scheduled option.

        Raises:
          Diverged: there are too few options, or the scheduled step never came.
        """
        if step < self.next_ask:
            return 0
        wanted, index = self._wanted.tasks[self._next_task]
        self._next_task += 1
        self._aim()
        if step != wanted:
            self._diverge(f"choice {wanted}, but the world went on to {step} without asking")
            return self.choose(enabled, step=step, forced=forced)
        if index >= len(enabled):
            self._diverge(f"option {index} at choice {step}, but {len(enabled)} tasks are enabled")
            return 0
        return self._take(step, index)

    def choose_data(self, options: int, *, label: str) -> int:
        """Take the scheduled number.

        Raises:
          Diverged: there are too few options.
        """
        value = 0
        data = self._wanted.data
        if self._next_datum < len(data) and data[self._next_datum][0] == self._data_asked:
            value = data[self._next_datum][1]
            self._next_datum += 1
            if value >= options:
                self._diverge(
                    f"option {value} at data choice {self._data_asked} ({label}), "
                    f"but there are {options}"
                )
                value = 0
        return self._take_data(value)

    def end(self, *, failed: bool) -> None:
        """Check that the whole schedule was used.

        Raises:
          Diverged: the execution passed and ended before some deviation's turn came.
        """
        if failed or self.finished:
            return
        if self._next_task < len(self._wanted.tasks):
            self._diverge(f"choice {self.next_ask}, but the execution ended before it")
        else:
            number = self._wanted.data[self._next_datum][0]
            self._diverge(f"data choice {number}, but the execution ended before it")

    def _aim(self) -> None:
        tasks = self._wanted.tasks
        self.next_ask = tasks[self._next_task][0] if self._next_task < len(tasks) else NEVER

    def _diverge(self, how: str) -> None:
        if self._strict:
            raise Diverged(f"replay diverged: the schedule takes {how}. {_CAUSE}")

"""What all strategies share: the record of one execution's deviations."""

from __future__ import annotations

import sys
from typing import Final

from quiesce.schedulers.scheduler import Schedule

__all__ = ["NEVER", "Recording"]

#: A ``next_ask`` beyond every choice.
NEVER: Final = sys.maxsize


class Recording:
    """Base of the strategies: collects the choices that differ from the default."""

    def __init__(self) -> None:
        self.next_ask = 0
        self._tasks: list[tuple[int, int]] = []
        self._data: list[tuple[int, int]] = []
        self._data_asked = 0  # choices of data so far, which is the next one's number

    @property
    def schedule(self) -> Schedule:
        """The current or last execution's schedule, for replay."""
        return Schedule(tuple(self._tasks), tuple(self._data))

    def _forget(self) -> None:
        self._tasks.clear()
        self._data.clear()
        self._data_asked = 0

    def _take(self, step: int, index: int) -> int:
        if index:
            self._tasks.append((step, index))
        return index

    def _take_data(self, value: int) -> int:
        if value:
            self._data.append((self._data_asked, value))
        self._data_asked += 1
        return value

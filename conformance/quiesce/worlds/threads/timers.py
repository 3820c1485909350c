"""Waits that end by themselves, in the order of their deadlines."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quiesce.worlds.threads.tasks import Task

__all__ = ["Timers"]


@final
@attrs.define(eq=False)
class Timers:
    """The deadlines of all waiting tasks; those of one instant in the order they were set.

    A wait that ends early leaves its entry behind, to be dropped when its turn comes.
    """

    _heap: list[tuple[int, int, Task]] = attrs.Factory(list)
    _number: int = 0

    def set(self, task: Task, deadline: int) -> None:
        """Give the wait that ``task`` begins a deadline, in nanoseconds."""
        self._number += 1
        task.timer = self._number
        task.deadline = deadline
        heappush(self._heap, (deadline, self._number, task))

    def next_due(self) -> int | None:
        """The earliest deadline, in nanoseconds."""
        heap = self._heap
        while heap:
            due, number, task = heap[0]
            if task.timer == number:
                return due
            heappop(heap)
        return None

    def take_due(self, at: int) -> Iterator[Task]:
        """Remove and give the tasks whose deadline is ``at`` nanoseconds or earlier."""
        while (due := self.next_due()) is not None and due <= at:
            task = heappop(self._heap)[2]
            task.timer = 0
            yield task

    def clear(self) -> None:
        """Forget all deadlines."""
        self._heap.clear()

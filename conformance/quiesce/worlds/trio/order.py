"""The order of tasks: trio promises none, so each order of a batch is legal.

trio runs its ready tasks in batches, each task one step, and shuffles every batch. This
is where a scheduler chooses. It hangs on two private names of trio (see ``state``), so a
test tells whether they still do what they did.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, final

import trio

from quiesce.worlds.trio.state import RunState, Shuffle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["BatchOrder", "OrderKind", "order_kind"]

OrderKind = Literal["controlled", "fixed"]

T = TypeVar("T")


@final
class BatchOrder:
    """Lets the scheduler choose the first task of a batch, then the second, and so on.

    Args:
      numbers: the birth number of each task that takes part; others, which are trio's own
        and the world's, run first and are no choice.
      scheduler: None means birth order.
      failed: told what the scheduler raised. trio must not see it.
    """

    def __init__(
        self,
        numbers: Mapping[Any, int],
        scheduler: Scheduler | None,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._numbers = numbers
        self._scheduler = scheduler
        self._failed = failed
        self._step = 0

    def arrange(self, batch: list[T]) -> list[T]:
        """The batch, given in birth order, in the order in which it is to run."""
        numbers = self._numbers
        own = [task for task in batch if task not in numbers]
        tasks = [task for task in batch if task in numbers]
        if self._scheduler is not None:
            try:
                tasks = self._choose(self._scheduler, tasks)
            except BaseException as error:
                self._failed(error)
        return own + tasks

    def _choose(self, scheduler: Scheduler, tasks: list[T]) -> list[T]:
        left, enabled = list(tasks), [self._numbers[task] for task in tasks]
        chosen = []
        while len(left) > 1:
            # Never forced: all of them run before any runs again, so none gives way to another.
            index = scheduler.choose(enabled, step=self._step, forced=False)
            self._step += 1
            chosen.append(left.pop(index))
            del enabled[index]
        return chosen + left


@cache
def order_kind() -> OrderKind:
    """Whether this trio's order can be controlled; ``fixed`` leaves it to trio."""
    # trio's own order is that of readiness or its reverse: neither of these.
    if _observe(lambda batch: batch[1:] + batch[:1]) != [1, 2, 0]:
        return "fixed"
    if _observe(lambda batch: batch[2:] + batch[:2]) != [2, 0, 1]:
        return "fixed"
    return "controlled"


def _observe(arrange: Callable[[list[Any]], list[Any]]) -> list[int]:
    log: list[int] = []

    async def note(number: int) -> None:
        log.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(note, number)

    state = RunState(Shuffle(arrange))
    state.enter()
    try:
        trio.run(main)
    finally:
        state.leave()
    return log

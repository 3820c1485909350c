"""The mutex for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Mutex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class Counting:
    """Three threads count, one of them only if it need not wait."""

    def __init__(self) -> None:
        self.mutex = Mutex()
        self.value = 0
        self.skipped = 0

    def count(self) -> None:
        with self.mutex:
            value = self.value
            self.value = value + 1

    def try_to_count(self) -> None:
        if not self.mutex.try_acquire():
            self.skipped += 1
            return
        self.value += 1
        self.mutex.release()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.count, self.count, self.try_to_count

    def ok(self) -> bool:
        return self.value + self.skipped == 3 and self.mutex.try_acquire()


def test_no_count_is_lost_and_the_lock_is_free_afterwards():
    found = explore(Counting, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_a_free_lock_is_not_released():
    mutex = Mutex()
    with pytest.raises(RuntimeError, match="of a mutex that nobody holds"):
        mutex.release()

    assert mutex.try_acquire()
    assert not mutex.try_acquire()


def test_a_block_that_raises_gives_the_lock_back():
    mutex = Mutex()
    with pytest.raises(ZeroDivisionError), mutex:
        _ = 1 / 0

    assert mutex.try_acquire()


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_interrupted_wait_leaves_nothing_behind(monkeypatch, handed_over):
    mutex = Mutex()
    mutex.acquire()

    class Turn:
        """A waiter's lock: the wait for it is interrupted, perhaps just after it came free."""

        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1
            if self.acquired == 2:
                if handed_over:
                    mutex.release()
                raise KeyboardInterrupt

        def release(self) -> None:
            pass

    monkeypatch.setattr(threading, "Lock", Turn)
    with pytest.raises(KeyboardInterrupt):
        mutex.acquire()
    monkeypatch.undo()
    if not handed_over:
        mutex.release()

    assert mutex.try_acquire()

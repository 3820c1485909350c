"""The capacity limiter for threads: what its docstrings promise beyond the clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import CapacityLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class Growing:
    """Three threads share one unit, then two."""

    def __init__(self) -> None:
        self.limiter = CapacityLimiter(1)
        self.inside = self.peak = 0

    def use(self) -> None:
        with self.limiter:
            self.inside += 1
            self.peak = max(self.peak, self.inside)
            self.inside -= 1

    def give_up(self) -> None:
        if self.limiter.acquire("impatient", timeout=1):
            self.limiter.release("impatient")

    def grow(self) -> None:
        self.limiter.total = 2

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.use, self.use, self.give_up, self.grow

    def ok(self) -> bool:
        free = [self.limiter.try_acquire(borrower) for borrower in "abc"]
        return self.peak <= 2 and free == [True, True, False]


def test_no_schedule_loses_a_unit_or_lends_it_twice():
    found = explore(Growing, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_each_borrower_has_one_unit_and_gives_back_its_own():
    limiter = CapacityLimiter(2)
    with limiter:
        with pytest.raises(RuntimeError, match="has a unit already"):
            limiter.acquire()
        with pytest.raises(RuntimeError, match="'other' has no unit"):
            limiter.release("other")
        assert limiter.acquire("other", timeout=0)
        assert not limiter.acquire("third", timeout=0)
    assert limiter.try_acquire("third")


def test_a_negative_total_is_refused():
    with pytest.raises(ValueError, match="-1 units"):
        CapacityLimiter(-1)
    limiter = CapacityLimiter(1)
    with pytest.raises(ValueError, match="-1 units"):
        limiter.total = -1
    assert limiter.total == 1
    assert limiter.try_acquire()

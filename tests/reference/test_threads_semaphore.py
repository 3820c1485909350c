"""The semaphore for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Semaphore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class Weighing:
    """Threads that take one, two and three of three units; none knows of the others."""

    def __init__(self) -> None:
        self.semaphore = Semaphore(3)
        self.held = self.peak = 0
        self.timed_out = 0

    def use(self, n: int, timeout: int | None = None) -> None:
        if not self.semaphore.acquire(n, timeout=timeout):
            self.timed_out += 1
            return
        self.held += n
        self.peak = max(self.peak, self.held)
        self.held -= n
        self.semaphore.release(n)

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (
            lambda: self.use(1),
            lambda: self.use(2),
            lambda: self.use(3),
            lambda: self.use(3, timeout=1),
        )

    def ok(self) -> bool:
        return self.peak <= 3 and self.semaphore.try_acquire(3)


def test_no_schedule_loses_a_unit_or_lends_it_twice():
    found = explore(Weighing, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


@pytest.mark.parametrize("n", [-1, -10])
def test_negative_numbers_are_refused(n):
    semaphore = Semaphore(1)
    for call in (semaphore.acquire, semaphore.try_acquire, semaphore.release):
        with pytest.raises(ValueError, match=str(n)):
            call(n)
    with pytest.raises(ValueError, match=str(n)):
        Semaphore(n)

    assert semaphore.try_acquire()


def test_a_wrong_release_says_how_many_are_held():
    semaphore = Semaphore(3)
    assert semaphore.acquire(2)
    with pytest.raises(ValueError, match="3 units can't be released: 2 are held"):
        semaphore.release(3)

    assert not semaphore.try_acquire(2)


def test_a_time_out_of_nothing_does_not_wait():
    semaphore = Semaphore(1)
    assert semaphore.acquire(timeout=0)
    assert not semaphore.acquire(timeout=0)
    assert not semaphore.acquire(timeout=-5)
    assert not semaphore.acquire(2, timeout=0)


def test_a_block_that_raises_gives_its_unit_back():
    semaphore = Semaphore(1)
    with pytest.raises(ZeroDivisionError), semaphore:
        _ = 1 / 0

    assert semaphore.try_acquire()


@pytest.mark.parametrize("granted", [False, True])
def test_an_interrupted_wait_leaves_nothing_behind(monkeypatch, granted):
    semaphore = Semaphore(1)
    semaphore.acquire()

    class Interrupted:
        """A waiter's lock: the wait for it is interrupted, perhaps just after the grant."""

        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1
            if self.acquired == 2:
                if granted:
                    semaphore.release()
                raise KeyboardInterrupt

        def release(self) -> None:
            pass

    monkeypatch.setattr(threading, "Lock", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        semaphore.acquire()
    if not granted:
        semaphore.release()

    assert semaphore.try_acquire()
    assert not semaphore.try_acquire()

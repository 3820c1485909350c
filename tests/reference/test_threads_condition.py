"""The condition for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class Buffer:
    """Two consumers, one of them with a time-out, and a producer of as many items."""

    def __init__(self) -> None:
        self.condition = Condition()
        self.items: list[int] = []
        self.taken: list[int] = []
        self.missed = 0

    def produce(self) -> None:
        for item in (1, 2):
            with self.condition:
                self.items.append(item)
                self.condition.notify()

    def consume(self, timeout: int | None = None) -> None:
        with self.condition:
            if self.condition.wait_for(lambda: self.items, timeout=timeout):
                self.taken.append(self.items.pop())
            else:
                self.missed += 1

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.consume, lambda: self.consume(timeout=5), self.produce

    def ok(self) -> bool:
        return len(self.taken) + self.missed == 2 == len(self.taken) + len(self.items)


def test_no_schedule_loses_a_notification():
    found = explore(Buffer, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_without_the_lock_nothing_works():
    condition = Condition()
    for call in (condition.wait, condition.notify, condition.notify_all):
        with pytest.raises(RuntimeError, match="must hold the condition's lock"):
            call()
    with pytest.raises(RuntimeError, match="must hold the condition's lock"):
        condition.wait_for(lambda: True)
    with condition:
        condition.notify_all()


def test_the_lock_is_not_taken_twice_by_one_thread():
    condition = Condition()
    with condition, pytest.raises(RuntimeError, match="holds the condition's lock already"):
        condition.__enter__()


def test_a_time_out_of_nothing_does_not_wait():
    condition = Condition()
    with condition:
        assert not condition.wait(timeout=0)
        assert not condition.wait_for(lambda: False, timeout=0)
        assert condition.wait_for(lambda: True, timeout=0)


@pytest.mark.parametrize("notified", [False, True])
def test_an_interrupted_wait_has_the_lock_back_and_passes_its_notification_on(
    monkeypatch, notified
):
    condition = Condition()
    others: list[object] = []

    class Interrupted:
        """A waiter's lock: the wait for it is interrupted, perhaps just after the notification."""

        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1
            if self.acquired == 2:
                condition._waiters.append(other)
                with condition:
                    condition.notify(1 if notified else 0)
                raise KeyboardInterrupt

        def release(self) -> None:
            others.append(self)

    with condition:
        monkeypatch.setattr(threading, "Lock", Interrupted)
        from quiesce_reference.threads.condition import _Waiter

        other = _Waiter()
        with pytest.raises(KeyboardInterrupt):
            condition.wait()
        condition.notify(0)  # the lock is held
        assert other.notified == notified
        assert list(condition._waiters) == ([] if notified else [other])

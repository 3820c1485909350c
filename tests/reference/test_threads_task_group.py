"""The task group for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Context, GroupBusyError, TaskGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=200, bounded=150, deviations=50, slice=20)


class OneSlot:
    """Three starts race for a group with room for one, where one function fails."""

    def __init__(self) -> None:
        self.context = Context().with_cancel()
        self.group = TaskGroup(1, context=self.context)
        self.running = self.peak = self.ended = 0
        self.after_error: list[bool] = []
        self.failed = False

    def work(self) -> None:
        self.after_error.append(self.context.done or not self.failed)
        self.running += 1
        self.peak = max(self.peak, self.running)
        self.running -= 1
        self.ended += 1

    def fail(self) -> None:
        self.work()
        self.failed = True
        raise ValueError

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (
            lambda: self.group.go(self.fail),
            lambda: self.group.go(self.work),
            lambda: self.group.go(self.work),
        )

    def ok(self) -> bool:
        with pytest.raises(ValueError, match=r"^$"):
            self.group.wait()
        return self.peak == 1 and self.ended == 3 and all(self.after_error)


class TwoWaiters:
    """Two threads wait while a third starts a function that fails, and changes the limit."""

    def __init__(self) -> None:
        self.group = TaskGroup()
        self.error = ValueError()
        self.told: list[object] = []
        self.may_end = threading.Event()
        self.group.go(self.fail)

    def fail(self) -> None:
        self.may_end.wait()
        raise self.error

    def wait(self) -> None:
        try:
            self.group.wait()
        except ValueError as error:
            self.told.append(error)

    def end(self) -> None:
        with pytest.raises(GroupBusyError):
            self.group.set_limit(1)
        self.may_end.set()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (self.wait, self.wait, self.end)

    def ok(self) -> bool:
        self.group.set_limit(1)
        return self.told == [self.error, self.error]


@pytest.mark.parametrize("program", [OneSlot, TwoWaiters])
def test_no_schedule_breaks(program):
    found = explore(program, packages=["quiesce_reference"], points="free-threaded", budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_the_context_is_cancelled_with_the_first_error_and_else_by_the_wait():
    context = Context().with_cancel()
    group = TaskGroup(context=context)
    group.go(lambda: None)
    group.wait()

    assert context.done
    assert context.cause is context.error

    context = Context().with_cancel()
    group = TaskGroup(context=context)
    group.go(lambda: [].pop())
    with pytest.raises(IndexError) as told:
        group.wait()
    assert context.cause is told.value


def test_the_limit_stays_when_functions_run():
    group, may_end = TaskGroup(), threading.Event()
    group.go(may_end.wait)
    with pytest.raises(GroupBusyError, match=r"^1 functions run, 0 wait: call wait\(\) first$"):
        group.set_limit(1)
    assert group.try_go(may_end.wait)
    may_end.set()
    group.wait()
    group.set_limit(0)

    assert not group.try_go(may_end.wait)


def test_a_thread_that_can_not_be_started_takes_no_slot(monkeypatch):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("no thread left")

    group = TaskGroup(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="no thread left"):
            group.go(lambda: None)

    assert group.try_go(lambda: None)
    group.wait()


def test_an_error_that_several_wait_for_does_not_grow():
    group, lengths = TaskGroup(), []
    group.go(lambda: [].pop())
    for _ in range(3):
        with pytest.raises(IndexError) as told:
            group.wait()
        lengths.append(len(told.traceback))

    assert len(set(lengths)) == 1

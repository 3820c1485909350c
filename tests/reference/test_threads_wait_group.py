"""The wait group for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import WaitGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class Results:
    """Two functions leave results, the second through a function of its own."""

    def __init__(self) -> None:
        self.group = WaitGroup()
        self.results: list[str] = []
        self.seen: list[list[str]] = []

    def start_and_wait(self) -> None:
        self.group.go(lambda: self.results.append("first"))
        self.group.go(lambda: self.group.go(lambda: self.results.append("second")))
        self.group.wait()
        self.seen.append(sorted(self.results))

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (self.start_and_wait,)

    def ok(self) -> bool:
        return self.seen == [["first", "second"]]


def test_who_waited_sees_what_functions_did():
    found = explore(Results, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_errors_come_as_a_group_that_says_whether_all_are_exceptions():
    group, errors = WaitGroup(), [ValueError("one"), KeyError("two")]
    for error in errors:
        group.go(raising(error))
    with pytest.raises(ExceptionGroup, match="functions of a wait group failed") as caught:
        group.wait()
    assert set(caught.value.exceptions) == set(errors)

    group.go(raising(KeyboardInterrupt()))
    with pytest.raises(BaseExceptionGroup) as interrupted:
        group.wait()
    assert not isinstance(interrupted.value, ExceptionGroup)


def raising(error: BaseException) -> Callable[[], object]:
    def fn() -> None:
        raise error

    return fn


def test_every_wait_hears_of_errors_until_a_new_round_begins():
    group = WaitGroup()
    group.go(raising(ValueError()))
    for _ in range(2):
        with pytest.raises(ExceptionGroup):
            group.wait()
    group.add()
    group.done()

    assert group.wait()


def test_a_function_for_which_there_is_no_thread_is_not_counted(monkeypatch):
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    group = WaitGroup()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        group.go(print)

    assert group.wait(0)


def test_a_wait_that_times_out_says_so():
    group = WaitGroup()
    group.add(2)

    assert not group.wait(0)
    with pytest.raises(ValueError, match="add\\(-3\\) where 2 is to be done"):
        group.add(-3)
    group.add(-2)
    assert group.wait(0)

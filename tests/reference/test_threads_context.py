"""The context for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Context, ContextCancelledError, DeadlineExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)
PATIENCE = 60  # seconds until a hang fails the test; no verdict depends on it
HOUR = 3_600_000_000_000


class TwoCauses:
    """Parent and child are cancelled in a race, while somebody reads the child's cause."""

    def __init__(self) -> None:
        self.parent = Context().with_cancel()
        self.child = self.parent.with_cancel()
        self.read: list[object] = []

    def look(self) -> None:
        for _ in range(2):
            cause = self.child.cause
            if cause is not None:
                self.read.append(cause)

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (
            lambda: self.child.cancel(ValueError("child")),
            lambda: self.parent.cancel(ValueError("parent")),
            self.look,
        )

    def ok(self) -> bool:
        return {str(cause) for cause in self.read} <= {str(self.child.cause)}


class WaitAndCallback:
    """A wait, a callback and its stop race with the cancellation."""

    def __init__(self) -> None:
        self.context = Context().with_cancel()
        self.child = self.context.with_value("key", "value")
        self.ran = threading.Semaphore(0)
        self.stop = self.child.after(self.ran.release)
        self.told: list[bool] = []

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (
            self.context.cancel,
            lambda: self.told.append(self.child.wait()),
            lambda: self.told.append(not self.stop() and self.ran.acquire()),
        )

    def ok(self) -> bool:
        return True in self.told and not self.ran.acquire(blocking=False)


@pytest.mark.parametrize("program", [TwoCauses, WaitAndCallback])
def test_no_schedule_breaks(program):
    found = explore(program, packages=["quiesce_reference"], points="free-threaded", budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


def test_check_raises_the_error_with_its_cause():
    context = Context().with_cancel()
    context.check()
    context.cancel(ValueError("enough"))
    with pytest.raises(ContextCancelledError, match=r"^the context was cancelled$") as told:
        context.check()

    assert isinstance(told.value.__cause__, ValueError)
    with pytest.raises(DeadlineExceededError) as told_late:
        Context().with_timeout(0).check()
    assert told_late.value.__cause__ is None
    assert isinstance(told_late.value, TimeoutError)


def test_a_block_ends_with_the_cancellation_also_by_an_error():
    context = Context().with_cancel()
    with pytest.raises(KeyError), context:
        raise KeyError

    assert context.done


def test_what_can_not_be_cancelled_has_no_way_to():
    context = Context().with_cancel()

    assert not hasattr(Context(), "cancel")
    assert not hasattr(context.with_value("key", 1), "cancel")
    assert not hasattr(context.without_cancel(), "cancel")


def test_values_are_bound_by_equality_and_may_be_none():
    context = Context().with_value("a", 1).with_cancel().with_value("a", None)

    assert context.value("a", "default") is None
    assert context.value("b", "default") == "default"


def test_neither_deadlines_nor_callbacks_without_one_need_a_thread():
    before = threading.active_count()
    contexts = [Context().with_timeout(HOUR) for _ in range(10)]
    stop = Context().with_cancel().after(lambda: None)

    assert threading.active_count() == before
    assert stop()
    assert not contexts[0].done


def test_a_callback_that_is_stopped_before_its_deadline_leaves_no_thread():
    before = threading.active_count()
    stop = Context().with_timeout(HOUR).after(lambda: None)
    (thread,) = (each for each in threading.enumerate() if "_attend" in each.name)
    assert stop()
    thread.join(PATIENCE)

    assert threading.active_count() == before


@pytest.mark.parametrize("delay", [HOUR, 10**30])
def test_a_wait_for_a_far_deadline_ends_by_a_cancellation(delay):
    context = Context().with_timeout(delay)
    waiting = threading.Thread(target=context.wait)
    waiting.start()
    context.cancel()
    waiting.join(PATIENCE)

    assert not waiting.is_alive()
    assert context.wait(0)


def test_a_wait_that_gives_up_leaves_nothing_behind():
    context = Context().with_cancel()

    assert not context.wait(0)
    assert not context._scope._listeners


def test_a_deadline_in_the_past_is_shown_as_it_was_given():
    at = time.monotonic_ns() - 1
    context = Context().with_deadline(at, ValueError("late"))

    assert context.deadline == at
    assert str(context.cause) == "late"

"""The tree of scopes, on a clock that is an argument."""

from __future__ import annotations

import gc
import weakref

import pytest

from quiesce_reference.scope import Scope


class Heard:
    """A listener that counts."""

    def __init__(self) -> None:
        self.times = 0

    def notify(self) -> None:
        self.times += 1


def cause_of(scope: Scope, now: int) -> object:
    end = scope.end(now)
    return None if end is None else end.cause


FIRST, SECOND = ValueError("first"), ValueError("second")


@pytest.mark.parametrize(
    ("parent_at", "child_at", "expected"), [(5, 7, FIRST), (7, 5, SECOND), (6, 6, FIRST)]
)
def test_the_first_cancellation_on_the_path_decides(parent_at, child_at, expected):
    parent = Scope().child(0)
    child = parent.child(0)
    cancels = [(parent_at, parent, FIRST), (child_at, child, SECOND)]
    for at, scope, cause in sorted(cancels, key=lambda each: each[0]):
        scope.cancel(at, cause)

    assert cause_of(child, 10) is expected


def test_an_end_that_was_read_never_changes():
    parent = Scope().child(0, 20, FIRST)
    child = parent.child(0, 30, SECOND)
    read = [child.end(now) for now in (19, 20, 25, 30, 40)]
    parent.cancel(50, SECOND)
    child.cancel(60, SECOND)

    assert read[0] is None
    assert {cause_of(child, 70), *(end.cause for end in read[1:] if end)} == {FIRST}


def test_of_equal_deadlines_the_own_one_gives_the_cause():
    child = Scope().child(0, 20, FIRST).child(0, 20, SECOND)

    assert cause_of(child, 20) is SECOND


def test_a_deadline_before_the_parents_end_does_not_count_if_the_child_came_after_it():
    parent = Scope().child(0)
    parent.cancel(50, FIRST)
    child = parent.child(60, 10, SECOND)

    assert cause_of(child, 60) is FIRST
    assert child.deadline == 10


def test_listeners_hear_of_ends_above_them_and_of_no_others():
    parent = Scope().child(0)
    child, sibling = parent.child(0), parent.child(0)
    heard = Heard()
    child.listen(heard)

    assert sibling.cancel(1, None) == ()
    assert parent.cancel(2, None) == (heard,)
    assert parent.cancel(3, None) == ()
    child.unlisten(heard)
    child.unlisten(heard)
    assert not parent._listeners


def test_a_parent_keeps_no_child_whether_that_ended_or_not():
    parent = Scope().child(0)
    ended = parent.child(0)
    ended.cancel(1, None)
    children = [weakref.ref(each) for each in (ended, parent.child(0, 10))]
    del ended
    gc.collect()

    assert [child() for child in children] == [None, None]

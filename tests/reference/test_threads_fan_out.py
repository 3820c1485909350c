"""Fan-out for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading

import pytest

from quiesce_reference.threads import first_success, map_concurrent

PATIENCE = 60  # seconds until a hang fails the test; no verdict depends on it


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_lets_nothing_run_is_refused_before_anything_starts(limit):
    called = []

    with pytest.raises(ValueError, match=f"the limit is {limit}"):
        map_concurrent(called.append, [1], limit=limit)

    assert called == []


def test_without_a_limit_all_inputs_run_at_the_same_time():
    barrier = threading.Barrier(4)

    assert sorted(map_concurrent(lambda _: barrier.wait(PATIENCE), range(4))) == [0, 1, 2, 3]


def test_without_inputs_no_thread_is_started(monkeypatch):
    monkeypatch.setattr(threading, "Thread", None)

    assert map_concurrent(str, []) == []


def test_inputs_come_from_any_iterable_and_results_stay_in_its_order():
    assert map_concurrent(lambda n: n * n, (n for n in range(5)), limit=2) == [0, 1, 4, 9, 16]


def test_the_error_that_is_raised_is_the_very_object_whatever_its_type():
    error = SystemExit(3)

    def fail(_: int) -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        map_concurrent(fail, [1, 2], limit=1)

    assert caught.value is error


def test_a_thread_that_cannot_be_started_leaves_none_behind(monkeypatch):
    before, start = threading.active_count(), threading.Thread.start
    started = []

    def refuse_the_second(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    calls = []
    with pytest.raises(RuntimeError, match="can't start"):
        map_concurrent(calls.append, range(3))

    assert not started[0].is_alive()
    assert threading.active_count() == before


def test_the_first_value_wins_over_errors():
    def fail() -> str:
        raise ValueError

    assert first_success(fail, lambda: "won", fail) == "won"


def test_without_a_success_all_errors_are_raised_together():
    errors = [KeyError("a"), ValueError("b")]

    def failing(error: Exception) -> object:
        def fail() -> None:
            raise error

        return fail

    with pytest.raises(ExceptionGroup) as caught:
        first_success(*(failing(error) for error in errors))

    assert set(caught.value.exceptions) == set(errors)


def test_a_race_without_functions_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        first_success()

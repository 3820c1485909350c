"""Pipelines for threads: what their docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce_reference.threads import Stage, pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60  # seconds until a hang fails the test; no verdict depends on it


def double(number: int) -> int:
    return 2 * number


def numbers(log: list[str]) -> Iterator[int]:
    try:
        number = 0
        while True:
            yield number
            number += 1
    finally:
        log.append(threading.current_thread().name)


@pytest.mark.parametrize(("workers", "buffer"), [(0, 1), (1, -1)])
def test_a_stage_that_could_do_nothing_is_refused(workers, buffer):
    with pytest.raises(ValueError, match="1 worker or more"):
        Stage(double, workers, buffer)


@pytest.mark.parametrize("workers", [1, 3])
def test_plain_functions_and_stages_are_applied_one_after_the_other_in_order(workers):
    stage = Stage(lambda number: number + 1, workers=workers, buffer=2)

    with pipeline(range(20), double, stage, str) as results:
        assert list(results) == [str(2 * number + 1) for number in range(20)]
        results.wait()


def test_without_stages_it_is_its_source():
    with pipeline("abc") as results:
        assert list(results) == ["a", "b", "c"]


def test_an_unordered_stage_delivers_what_is_done_first():
    second_is_done = threading.Event()

    def slow_zero(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(PATIENCE)
        return number

    with pipeline(range(2), Stage(slow_zero, workers=2, ordered=False)) as results:
        assert next(results) == 1
        second_is_done.set()
        assert list(results) == [0]


def test_leaving_early_ends_an_endless_source_and_closes_it_where_it_ran():
    log: list[str] = []
    before = threading.active_count()

    with pipeline(numbers(log), Stage(double, workers=2, buffer=3)) as results:
        assert [next(results) for _ in range(3)] == [0, 2, 4]

    assert threading.active_count() == before
    assert len(log) == 1
    assert log != [threading.current_thread().name]


def test_the_first_error_is_what_everybody_is_told():
    error = SystemExit()

    def fail(_: int) -> None:
        raise error

    with pipeline(numbers([]), fail) as results:
        for ask in (results.wait, results.__next__, results.wait):
            with pytest.raises(SystemExit) as caught:
                ask()
            assert caught.value is error


def test_cancelling_before_the_end_drops_what_was_not_read():
    with pipeline(numbers([]), Stage(double, buffer=5)) as results:
        next(results)
        results.cancel()
        results.wait()
        assert list(results) == []


@pytest.mark.parametrize("method", ["__next__", "wait"])
def test_outside_the_block_it_says_what_to_do(method):
    with pytest.raises(RuntimeError, match="inside its 'with' block"):
        getattr(pipeline([1], double), method)()

"""Fan-in for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from quiesce_reference.threads import merge

if TYPE_CHECKING:
    from collections.abc import Iterator


def endless(log: list[str]) -> Iterator[int]:
    try:
        number = 0
        while True:
            yield number
            number += 1
    finally:
        log.append(threading.current_thread().name)


def test_all_items_of_all_sources_come_out_each_source_in_order():
    with merge("abc", [1, 2], ()) as items:
        found = list(items)

    assert Counter(found) == Counter(["a", "b", "c", 1, 2])
    assert [item for item in found if isinstance(item, str)] == ["a", "b", "c"]


def test_leaving_early_ends_endless_sources_and_closes_generators_where_they_ran():
    log: list[str] = []
    before = threading.active_count()

    with merge(endless(log), endless(log)) as items:
        next(items)

    assert threading.active_count() == before
    assert len(log) == 2
    assert threading.current_thread().name not in log


def test_each_source_is_read_one_item_ahead_and_no_more():
    pulled = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            pulled.append(number)
            yield number

    with merge(numbers()) as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        assert len(pulled) <= 4


def test_the_error_of_a_source_is_raised_again_and_again():
    error = SystemExit()

    def failing() -> Iterator[int]:
        raise error
        yield 0

    with merge(failing(), endless([])) as items:
        with pytest.raises(SystemExit) as caught:
            for _ in items:
                pass
        assert caught.value is error
        with pytest.raises(SystemExit):
            next(items)


def test_after_the_block_the_iteration_is_over():
    with merge([1, 2, 3]) as items:
        next(items)

    assert list(items) == []


def test_outside_the_block_it_says_what_to_do():
    with pytest.raises(RuntimeError, match="inside its 'with' block"):
        next(merge([1]))

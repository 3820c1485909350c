"""The object pool for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from collections import Counter

import pytest

from quiesce_reference.errors import NotLentError, PoolClosedError
from quiesce_reference.threads import ObjectPool


class Thing:
    """Something costly."""


def test_a_bound_that_lends_nothing_is_refused():
    with pytest.raises(ValueError, match="room for 0 objects"):
        ObjectPool(Thing, bound=0)


def test_an_object_comes_back_reset_from_a_block_that_fails():
    resets: Counter[Thing] = Counter()
    pool = ObjectPool(Thing, reset=lambda thing: resets.update([thing]), bound=1)

    with pytest.raises(KeyError), pool.use() as thing:
        raise KeyError

    assert resets == {thing: 1}
    assert pool.get() is thing


def test_objects_that_are_equal_are_not_taken_for_each_other():
    pool = ObjectPool[list[int]](list)
    lent = pool.get()

    with pytest.raises(NotLentError):
        pool.put([])
    pool.put(lent)

    assert pool.get() is lent


def test_a_closed_pool_takes_back_what_is_out_and_lends_nothing():
    pool = ObjectPool(Thing)
    lent = pool.get()
    pool.close()

    pool.put(lent)

    with pytest.raises(PoolClosedError):
        pool.get()

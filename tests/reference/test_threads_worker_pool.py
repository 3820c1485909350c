"""The worker pool for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import itertools
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import JobCancelledError, PoolClosedError, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from quiesce_reference.threads import Job
    from quiesce_reference.threads.stream import Stream

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)
PACKAGES = ["quiesce_reference"]


class SubmittersAndAClose:
    """Three submitters race for a pool with room for two, and a fourth thread closes it."""

    def __init__(self) -> None:
        self.pool = WorkerPool(1, queue=1)
        self.ran: list[int] = []
        self.accepted: list[int] = []
        self.refused = 0

    def submit(self, number: int) -> None:
        try:
            job = self.pool.submit(lambda: self.ran.append(number))
        except PoolClosedError:
            self.refused += 1
        else:
            job.result()
            self.accepted.append(number)

    def close(self) -> None:
        self.pool.close()
        self.pool.wait()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (*(lambda n=n: self.submit(n) for n in range(3)), self.close)

    def ok(self) -> bool:
        return sorted(self.accepted) == sorted(self.ran) and len(self.ran) + self.refused == 3


class AnEndlessStreamThatIsLeft:
    """Two consumers take an outcome each, then the pool is closed over an endless source."""

    def __init__(self) -> None:
        self.pulled = itertools.count()
        self.pool = WorkerPool(2, queue=0)
        self.stream = self.pool.stream(lambda item: item * 10, self.source(), ordered=True)
        self.got: list[int] = []
        self.ahead = 0

    def source(self) -> Iterator[int]:
        for item in self.pulled:
            self.ahead = max(self.ahead, item - len(self.got))
            yield item

    def take(self) -> None:
        self.got.append(next(self.stream))
        if len(self.got) == 2:
            self.pool.close()
            self.pool.wait()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.take, self.take

    def ok(self) -> bool:
        # Two places: item 2 is pulled once an outcome is taken, which here is told a bit later.
        return sorted(self.got) == [0, 10] and self.ahead <= 3


@pytest.mark.parametrize("program", [SubmittersAndAClose, AnEndlessStreamThatIsLeft])
def test_no_schedule_breaks_a_small_program(program):
    found = explore(program, packages=PACKAGES, budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WorkerPool(0), "a pool of 0 workers would never run a job"),
        (lambda: WorkerPool(1, queue=-1), "a queue can't have -1 places"),
        (lambda: WorkerPool(1).stream(str, [], buffer=-1), "a buffer can't have -1 places"),
    ],
)
def test_impossible_sizes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_block_that_fails_drops_what_has_not_started():
    jobs: list[Job[object]] = []
    started, both = threading.Event(), threading.Event()

    def wait_for_the_next() -> None:
        started.set()
        both.wait()
        with pytest.raises(JobCancelledError):
            jobs[1].result()

    def block() -> None:
        with WorkerPool(1, queue=1) as pool:
            jobs.extend([pool.submit(wait_for_the_next), pool.submit(pytest.fail)])
            both.set()
            started.wait()
            raise KeyError

    with pytest.raises(KeyError):
        block()

    assert jobs[0].result() is None
    assert not jobs[0].cancel()
    assert jobs[1].cancel()


def test_leaving_the_block_raises_the_error_that_cancelled_the_rest():
    def block(*, fails: bool) -> None:
        with WorkerPool(1, queue=1, cancel_on_error=True) as pool:
            pool.submit(lambda: 1 // 0)
            if fails:
                raise KeyError

    with pytest.raises(ZeroDivisionError):
        block(fails=False)
    with pytest.raises(KeyError):  # the block's own error goes first
        block(fails=True)


def test_an_error_can_be_asked_for_again_and_again_at_no_cost():
    with WorkerPool(1) as pool:
        job = pool.submit(lambda: 1 // 0)

    depths = set()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            job.result()
        depths.add(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(depths) == 1


def test_a_pool_that_gets_no_thread_says_so_and_keeps_no_job(monkeypatch):
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with WorkerPool(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            with pytest.raises(RuntimeError, match="can't start"):
                pool.submit(int)
            with pytest.raises(RuntimeError, match="can't start"):
                next(pool.stream(str, [1]))

        assert pool.submit(int).result() == 0
        assert list(pool.stream(str, [1])) == ["1"]


def test_who_is_interrupted_while_he_waits_for_room_leaves_the_line(monkeypatch):
    gate = threading.Lock()  # not an event, whose wait is a condition's
    gate.acquire()

    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    with WorkerPool(1) as pool:
        pool.submit(gate.acquire)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Condition, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                pool.submit(int)
        gate.release()
        assert pool.submit(lambda: 1).result() == 1


def next_or_why(stream: Stream[str]) -> str:
    try:
        return next(stream)
    except PoolClosedError:
        return "closed"


def test_a_stream_of_a_closed_pool_gives_what_it_has_and_then_says_why_it_ends():
    pool = WorkerPool(1)
    stream = pool.stream(str, itertools.count(), buffer=1)
    assert next(stream) == "0"

    pool.close()
    pool.wait()

    left = list(iter(partial(next_or_why, stream), "closed"))
    assert left in (["1"], ["1", "2"])
    with pytest.raises(StopIteration):
        next(stream)


def test_a_stream_that_begins_after_the_close_is_refused():
    pool = WorkerPool(1)
    pool.close()

    with pytest.raises(PoolClosedError):
        next(pool.stream(str, [1]))


def test_a_function_cannot_end_its_stream():
    def stop(_: int) -> None:
        raise StopIteration

    with WorkerPool(1) as pool:
        stream = pool.stream(stop, [1])
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            next(stream)
        with pytest.raises(StopIteration):
            next(stream)

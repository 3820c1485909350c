"""The read-write lock for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import RWLock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class HalvesOfOne:
    """A writer changes two values that belong together; readers look at both."""

    def __init__(self) -> None:
        self.lock = RWLock()
        self.halves = [0, 0]
        self.seen: list[tuple[int, int]] = []

    def write(self) -> None:
        with self.lock.writing():
            self.halves[0] += 1
            self.halves[1] += 1

    def read(self) -> None:
        with self.lock.reading():
            first = self.halves[0]
            self.seen.append((first, self.halves[1]))

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.write, self.read, self.write, self.read

    def ok(self) -> bool:
        whole = all(first == second for first, second in self.seen)
        return whole and self.halves == [2, 2] and self.lock.try_acquire_write()


def test_readers_never_see_half_of_a_write():
    found = explore(HalvesOfOne, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


@pytest.mark.parametrize("mode", ["read", "write"])
def test_what_nobody_holds_is_not_released(mode):
    lock = RWLock()
    with pytest.raises(RuntimeError, match=f"release_{mode}\\(\\) of a lock that no"):
        getattr(lock, f"release_{mode}")()

    assert lock.try_acquire_write()


def interrupted_turns(lock: RWLock, release: str | None) -> type:
    """Waiters' locks: each wait is interrupted, perhaps just after it was granted."""

    class Turn:
        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1
            if self.acquired == 2:
                if release is not None:
                    getattr(lock, release)()
                raise KeyboardInterrupt

        def release(self) -> None:
            pass

    return Turn


@pytest.mark.parametrize("handed_over", [False, True])
@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_interrupted_wait_leaves_nothing_behind(monkeypatch, mode, handed_over):
    lock = RWLock()
    lock.acquire_write()
    turns = interrupted_turns(lock, "release_write" if handed_over else None)
    monkeypatch.setattr(threading, "Lock", turns)
    with pytest.raises(KeyboardInterrupt):
        getattr(lock, f"acquire_{mode}")()
    monkeypatch.undo()
    if not handed_over:
        lock.release_write()

    assert lock.try_acquire_write()


def test_readers_get_in_when_the_writer_that_held_them_back_is_interrupted(monkeypatch):
    lock, reader = RWLock(), threading.Lock()
    reader.acquire()
    lock.acquire_read()

    class Turn:
        """The writer's lock: a reader comes to wait behind it, and then it is interrupted."""

        acquired = 0

        def acquire(self) -> None:
            self.acquired += 1
            if self.acquired == 2:
                lock._waiting_readers.append(reader)
                raise KeyboardInterrupt

    monkeypatch.setattr(threading, "Lock", Turn)
    with pytest.raises(KeyboardInterrupt):
        lock.acquire_write()
    monkeypatch.undo()

    assert reader.acquire(blocking=False)
    lock.release_read()
    assert not lock.try_acquire_write()  # that reader reads
    lock.release_read()
    assert lock.try_acquire_write()

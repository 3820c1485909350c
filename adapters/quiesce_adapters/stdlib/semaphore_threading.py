"""The semaphores of threading."""

import threading

import quiesce

# Documentation: "The order in which threads are awakened should not be relied on." That a
# released unit is free until a woken thread gets there stands in the source.
DIALECT = {"fifo": "no", "handover": "barging"}


@quiesce.adapter(
    "semaphore",
    world="threads",
    name="threading.Semaphore",
    packages=["threading"],
    lacks={"weighted", "bounded"},
    dialect=DIALECT,
)
class Semaphore:
    """``Semaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = threading.Semaphore(size)

    def acquire(self, _n: int) -> None:
        self._semaphore.acquire()

    def acquire_within(self, _n: int, timeout: int) -> bool:
        return self._semaphore.acquire(timeout=timeout / 1e9)

    def try_acquire(self, _n: int) -> bool:
        return self._semaphore.acquire(blocking=False)

    def release(self, n: int) -> None:
        self._semaphore.release(n)


@quiesce.adapter(
    "semaphore",
    world="threads",
    name="threading.BoundedSemaphore",
    packages=["threading"],
    lacks={"weighted"},
    dialect=DIALECT,
)
class BoundedSemaphore(Semaphore):
    """``BoundedSemaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = threading.BoundedSemaphore(size)

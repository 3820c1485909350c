"""The condition of threading."""

import threading
from collections.abc import Callable

import quiesce


@quiesce.adapter(
    "condition",
    world="threads",
    name="threading.Condition",
    packages=["threading"],
    # The documentation promises no order among the waiters.
    dialect={"fifo": "no"},
)
class Condition:
    """``Condition`` with the lock that it makes itself, which knows its owner."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def wait(self, work: Callable[[], object]) -> object:
        with self._condition:
            self._condition.wait()
            return work()

    def wait_within(self, timeout: int, work: Callable[[], object]) -> tuple[bool, object]:
        with self._condition:
            return self._condition.wait(timeout / 1e9), work()

    def hold(self, work: Callable[[], object]) -> object:
        with self._condition:
            return work()

    def notify(self, n: int) -> None:
        with self._condition:
            self._condition.notify(n)

    def notify_all(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def notify_here(self, n: int) -> None:
        self._condition.notify(n)

    def wait_here(self) -> None:
        self._condition.wait()

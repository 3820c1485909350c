"""The condition of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import Condition

PACKAGES = ["quiesce_reference"]


@quiesce.adapter("condition", world="threads", packages=PACKAGES, name="reference.Condition")
class Waiting:
    """``Condition``."""

    def __init__(self) -> None:
        self._condition = Condition()

    def wait(self, work: Callable[[], object]) -> object:
        with self._condition:
            self._condition.wait()
            return work()

    def wait_within(self, timeout: int, work: Callable[[], object]) -> tuple[bool, object]:
        with self._condition:
            return self._condition.wait(timeout=timeout), work()

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

"""Wait group of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import WaitGroup


@quiesce.adapter(
    "wait_group", world="threads", packages=["quiesce_reference"], name="reference.WaitGroup"
)
class ThreadsWaitGroup:
    """``WaitGroup``."""

    def __init__(self) -> None:
        self._group = WaitGroup()

    def add(self, n: int) -> None:
        self._group.add(n)

    def done(self) -> None:
        self._group.done()

    def wait(self) -> None:
        self._group.wait()

    def wait_within(self, timeout: int) -> bool:
        return self._group.wait(timeout)

    def go(self, work: Callable[[], object]) -> None:
        self._group.go(work)

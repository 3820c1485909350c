"""The semaphore of the reference, for threads."""

import quiesce
from quiesce_reference.threads import Semaphore

PACKAGES = ["quiesce_reference"]


@quiesce.adapter("semaphore", world="threads", packages=PACKAGES, name="reference.Semaphore")
class Units:
    """``Semaphore``."""

    def __init__(self, size: int) -> None:
        self._semaphore = Semaphore(size)

    def acquire(self, n: int) -> None:
        self._semaphore.acquire(n)

    def acquire_within(self, n: int, timeout: int) -> bool:
        return self._semaphore.acquire(n, timeout=timeout)

    def try_acquire(self, n: int) -> bool:
        return self._semaphore.try_acquire(n)

    def release(self, n: int) -> None:
        self._semaphore.release(n)

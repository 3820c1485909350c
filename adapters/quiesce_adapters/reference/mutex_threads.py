"""Mutex of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import Mutex


@quiesce.adapter("mutex", world="threads", packages=["quiesce_reference"], name="reference.Mutex")
class ThreadsMutex:
    """``Mutex``: anybody releases it, and waiters get it in order."""

    def __init__(self) -> None:
        self._mutex = Mutex()

    def hold(self, work: Callable[[], object]) -> object:
        with self._mutex:
            return work()

    def try_hold(self, work: Callable[[], object]) -> tuple[bool, object]:
        if not self._mutex.try_acquire():
            return False, None
        try:
            return True, work()
        finally:
            self._mutex.release()

    def acquire(self) -> None:
        self._mutex.acquire()

    def release(self) -> None:
        self._mutex.release()

"""Read-write lock of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import RWLock

Work = Callable[[], object]


@quiesce.adapter("rwlock", world="threads", packages=["quiesce_reference"], name="reference.RWLock")
class ThreadsRWLock:
    """``RWLock``."""

    def __init__(self) -> None:
        self._lock = RWLock()

    def read(self, work: Work) -> object:
        with self._lock.reading():
            return work()

    def write(self, work: Work) -> object:
        with self._lock.writing():
            return work()

    def try_read(self, work: Work) -> tuple[bool, object]:
        if not self._lock.try_acquire_read():
            return False, None
        try:
            return True, work()
        finally:
            self._lock.release_read()

    def try_write(self, work: Work) -> tuple[bool, object]:
        if not self._lock.try_acquire_write():
            return False, None
        try:
            return True, work()
        finally:
            self._lock.release_write()

    def release_read(self) -> None:
        self._lock.release_read()

    def release_write(self) -> None:
        self._lock.release_write()

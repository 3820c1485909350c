"""readerwriterlock: read-write locks for threads."""

from collections.abc import Callable

from readerwriterlock import rwlock

import quiesce

Work = Callable[[], object]
# Whoever releases needs the object that acquired. A try may fail for a lock that is only being
# looked at, and nothing says otherwise. Writers have preference, or nobody has. Its source: it is
# made of plain locks, which whoever runs first gets when they come free.
LACKS = {"try", "anyone"}
DIALECT = {"after_write": "any", "handover": "barging"}


@quiesce.adapter(
    "rwlock",
    world="threads",
    name="readerwriterlock.RWLockWrite",
    distribution="readerwriterlock",
    lacks=LACKS,
    dialect=DIALECT,
)
class RWLockWrite:
    """``RWLockWrite``: preference to writers."""

    def __init__(self) -> None:
        self._lock = self.make()

    def make(self) -> "rwlock.RWLockWrite | rwlock.RWLockFair":
        return rwlock.RWLockWrite()

    def read(self, work: Work) -> object:
        with self._lock.gen_rlock():
            return work()

    def write(self, work: Work) -> object:
        with self._lock.gen_wlock():
            return work()


@quiesce.adapter(
    "rwlock",
    world="threads",
    name="readerwriterlock.RWLockFair",
    distribution="readerwriterlock",
    lacks=LACKS,
    dialect=DIALECT,
)
class RWLockFair(RWLockWrite):
    """``RWLockFair``: readers and writers take turns."""

    def make(self) -> "rwlock.RWLockWrite | rwlock.RWLockFair":
        return rwlock.RWLockFair()

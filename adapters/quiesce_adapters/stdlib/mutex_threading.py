"""The locks of threading."""

import threading
from collections.abc import Callable

import quiesce

# Documentation of threading: when an unlocked lock is waited for by several threads, which of
# them proceeds "is not defined, and may vary across implementations".
ORDER = {"handover": "barging", "fifo": "no"}


class Holding:
    """What both locks are used like; subclasses make the lock."""

    _lock: "threading.Lock | threading.RLock"

    def hold(self, work: Callable[[], object]) -> object:
        with self._lock:
            return work()

    def try_hold(self, work: Callable[[], object]) -> tuple[bool, object]:
        if not self._lock.acquire(blocking=False):
            return False, None
        try:
            return True, work()
        finally:
            self._lock.release()

    def release(self) -> None:
        self._lock.release()


@quiesce.adapter("mutex", world="threads", name="threading.Lock", dialect=ORDER)
class Lock(Holding):
    """``Lock``: "can be released by any thread"."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self) -> None:
        self._lock.acquire()


@quiesce.adapter(
    "mutex",
    world="threads",
    name="threading.RLock",
    lacks={"anyone"},
    dialect={**ORDER, "ownership": "owner", "relock": "counts"},
)
class RLock(Holding):
    """``RLock``: owned by a thread, which may take it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

"""limits: its own clean-up takes the lock away, and a limit of one lets two threads in.

Library: limits 5.8.0. Python: 3.11, 3.12, 3.13. Clause: RL-25 (also RL-16).
Known as: not known to be reported for the moving window;
https://github.com/alisaifee/limits/pull/352 is about the fixed one.
Judgement: bug.

Why: in limits/storage/memory.py the timer's ``__expire_events`` removes a key's lock from the
table when the key's log is empty, although a caller may already wait for that lock. The next
caller gets a fresh lock, so both are inside ``acquire_entry`` for one key at the same time.
An empty log is what every key has whose entries have expired.
"""

import sys
import threading
from collections import defaultdict

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

waiting = threading.Event()


class Locks(defaultdict[str, threading.RLock]):
    """Tells when the second thread has fetched the lock that the cleaner holds."""

    def __getitem__(self, key: str) -> object:
        lock = super().__getitem__(key)
        if threading.current_thread().name == "first":
            waiting.set()
        return lock


class Logs(dict[str, list[object]]):
    """While the cleaner, with the lock, looks at a key's log, a caller begins to wait."""

    def get(self, key: str, default: list[object] | None = None) -> list[object] | None:
        if threading.current_thread() is cleaner and not first.ident:
            first.start()
            waiting.wait(2)
        return super().get(key, default)


class Log(list[object]):
    """An expired log: between the caller's look at it and his entry another caller comes."""

    def __getitem__(self, index: int) -> object:
        try:
            return super().__getitem__(index)
        finally:
            if threading.current_thread() is first:
                second.start()
                second.join(2)


storage = MemoryStorage()
storage.timer.join()
limiter = MovingWindowRateLimiter(storage)
limit = RateLimitItemPerMinute(1)
storage.locks = Locks(threading.RLock)
storage.events = Logs({limit.key_for("client"): Log()})
admitted: list[str] = []


def hit() -> None:
    if limiter.hit(limit, "client"):
        admitted.append(threading.current_thread().name)


first = threading.Thread(target=hit, name="first")
second = threading.Thread(target=hit, name="second")
cleaner = threading.Thread(target=storage._MemoryStorage__expire_events)
cleaner.start()
for thread in (cleaner, first, second):
    thread.join()
buggy = len(admitted) > 1
print("BUG" if buggy else "OK", f"1 a minute let in {len(admitted)}: {admitted}")
sys.exit(buggy)

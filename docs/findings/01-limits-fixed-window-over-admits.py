"""limits: two threads that race on a fresh key are both let in by a limit of one.

Library: limits 5.8.0. Python: 3.11, 3.12, 3.13. Clause: RL-25 (also RL-16).
Known as: https://github.com/alisaifee/limits/pull/352
Judgement: bug.

Why: in limits/storage/memory.py ``incr`` first calls ``get``, which drops counter and lock of
a key that has no expiry time yet, and does so without the lock. ``incr`` itself stores the
count before the expiry time. A thread that arrives between the two takes the counter for a
leftover and throws it away, together with the lock that should have kept it out.
"""

import sys
import threading
from collections import Counter

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter


class Between(Counter[str]):
    """A counter that lets another thread in right after the first count was stored."""

    def __setitem__(self, key: str, value: int) -> None:
        super().__setitem__(key, value)
        if threading.current_thread().name == "first":
            second.start()
            second.join(2)


storage = MemoryStorage()
storage.storage = Between()
limiter = FixedWindowRateLimiter(storage)
limit = RateLimitItemPerMinute(1)
admitted: list[str] = []


def hit() -> None:
    if limiter.hit(limit, "client"):
        admitted.append(threading.current_thread().name)


first = threading.Thread(target=hit, name="first")
second = threading.Thread(target=hit, name="second")
first.start()
first.join()
second.join()
buggy = len(admitted) > 1
print("BUG" if buggy else "OK", f"1 a minute let in {len(admitted)}: {admitted}")
sys.exit(buggy)

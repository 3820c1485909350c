"""limits: a hit that costs more than the whole limit is granted when another one races it.

Library: limits 5.8.0. Python: 3.11, 3.12, 3.13. Clause: RL-20.
Known as: the race of finding 01, https://github.com/alisaifee/limits/pull/352
Judgement: bug.

Why: as in finding 01, a thread that arrives between the first count and its expiry time
throws the counter away. ``hit`` then compares what the other thread counted with the limit,
not its own cost: 6 of 2 a minute is let in.
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
            second.join(0.1)


storage = MemoryStorage()
storage.storage = Between()
limiter = FixedWindowRateLimiter(storage)
limit = RateLimitItemPerMinute(2)
admitted: dict[str, bool] = {}


def hit(cost: int) -> None:
    admitted[threading.current_thread().name] = limiter.hit(limit, "client", cost=cost)


first = threading.Thread(target=hit, args=(6,), name="first")
second = threading.Thread(target=hit, args=(2,), name="second")
first.start()
first.join()
second.join()
buggy = admitted["first"]
print("BUG" if buggy else "OK", f"2 a minute, cost 6 (first) and 2 (second): {admitted}")
sys.exit(buggy)

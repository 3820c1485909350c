"""token-bucket: two threads that race on a fresh key both get the only token.

Library: token-bucket 0.4.0. Python: 3.11, 3.12, 3.13. Clause: RL-25 (also RL-16).
Known as: the comments in storage.py discuss races, and say that what remains of them reduces
the capacity "by a negligible amount".
Judgement: bug: this race does the opposite, it lets more in than the capacity.

Why: ``MemoryStorage.replenish`` finds no bucket and makes a full one, without a lock. A thread
that looked before the first one's bucket was there overwrites it, and what the first one took
is back.
"""

import sys
import threading
import time

from token_bucket import Limiter, MemoryStorage, storage

admitted: list[str] = []


class Clock:
    """A clock whose first reader, having found no bucket, is overtaken by another thread."""

    def monotonic(self) -> float:
        if threading.current_thread().name == "first":
            second.start()
            second.join(2)
        return time.monotonic()


def consume() -> None:
    if limiter.consume("client"):
        admitted.append(threading.current_thread().name)


storage.time = Clock()
limiter = Limiter(rate=0.001, capacity=1, storage=MemoryStorage())
first = threading.Thread(target=consume, name="first")
second = threading.Thread(target=consume, name="second")
first.start()
first.join()
second.join()
buggy = len(admitted) > 1
print("BUG" if buggy else "OK", f"a capacity of 1 let in {len(admitted)}: {admitted}")
sys.exit(buggy)

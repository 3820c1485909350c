"""pyrate-limiter: with room for two, one of two threads is refused because it was busy.

Library: pyrate-limiter 4.5.1. Python: 3.11, 3.12, 3.13. Clause: RL-25.
Known as: not known to be reported.
Judgement: matter of taste: "If False, return immediately" may mean that. But the caller is told
"no permit" when permits are there, and the lock is held for microseconds only.

Why: with ``blocking=False`` the limiter (limiter.py, ``combined_lock``) tries its lock once, and
takes a lock that somebody else holds for a bucket that is full.
"""

import sys
import threading

from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

inside, leave = threading.Event(), threading.Event()


class Busy(InMemoryBucket):
    """A bucket in which the first caller is suspended, as any thread can be."""

    def put(self, item: object) -> bool:
        if threading.current_thread() is first:
            inside.set()
            leave.wait(2)
        return super().put(item)


limiter = Limiter(SingleBucketFactory(Busy([Rate(2, 60_000)]), schedule_leak=False))
first = threading.Thread(target=limiter.try_acquire, args=("client",), kwargs={"blocking": False})
first.start()
inside.wait(2)
second = limiter.try_acquire("client", blocking=False)
leave.set()
first.join()
third = limiter.try_acquire("client", blocking=False)
buggy = not second and bool(third)
print("BUG" if buggy else "OK", f"2 a minute: second {second}, and then, unused, third {third}")
sys.exit(buggy)

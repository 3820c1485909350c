"""pyrate-limiter: a thread that wakes up late is booked too early, and one too many gets in.

Library: pyrate-limiter 4.5.1. Python: 3.11, 3.12, 3.13. Clause: RL-16.
Known as: not known to be reported.
Judgement: bug: the README says of this algorithm that it is exact and "never allows a burst above
limit in any rolling interval". A sleep that ends late is what any busy machine does.

Why: after its sleep ``Limiter._blocking_retry_sync`` (limiter.py) doesn't read the clock, but
adds the time that it meant to sleep to the old timestamp. The asynchronous path reads it anew.
"""

import sys

import pyrate_limiter
from pyrate_limiter import InMemoryBucket, Limiter, Rate, SingleBucketFactory

now_ms = 1_000_000


def sleep_half_a_second_too_long(seconds: float) -> None:
    global now_ms
    now_ms += round(seconds * 1000) + 500


pyrate_limiter.clocks.monotonic_ns = lambda: now_ms * 1_000_000
pyrate_limiter.limiter.sleep = sleep_half_a_second_too_long
bucket = InMemoryBucket([Rate(1, 1000)])
limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=0)
limiter.try_acquire("client")
limiter.try_acquire("client")
second = now_ms
now_ms += 600
third = limiter.try_acquire("client", blocking=False)
buggy = bool(third)
print("BUG" if buggy else "OK", f"1 a second: two within {now_ms - second} ms: {third}")
sys.exit(buggy)

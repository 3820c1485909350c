"""limits: a refused hit is charged all the same, so what is left can't be used.

Library: limits 5.8.0. Python: 3.11, 3.12, 3.13. Clause: RL-04.
Known as: not known to be reported.
Judgement: matter of taste for hits of cost 1, a bug for others: ``hit`` is documented as
"True if cost could be deducted from the rate limit without exceeding it", and here it could.

Why: ``FixedWindowRateLimiter.hit`` (strategies.py) adds the cost to the counter first and then
compares, and never takes it back. ``test`` says yes up to the refusal and no after it.
"""

import sys

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

limiter = FixedWindowRateLimiter(MemoryStorage())
limit = RateLimitItemPerMinute(10)
first = limiter.hit(limit, "client", cost=8)
left = limiter.test(limit, "client", cost=2)
refused = not limiter.hit(limit, "client", cost=5)
small = limiter.hit(limit, "client", cost=2)
buggy = first and left and refused and not small
print("BUG" if buggy else "OK", f"10 a minute: took 8, refused 5, then 2 of the last 2: {small}")
sys.exit(buggy)

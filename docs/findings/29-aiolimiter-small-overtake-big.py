"""aiolimiter: callers that ask for little overtake one that asks for more, for ever.

Library: aiolimiter 1.3.0. Python: 3.11, 3.12, 3.13. Clause: RL-06.
Known as: not known to be reported.
Judgement: matter of taste: no order is promised. But a steady stream of small requests starves
a big one, and the waiting time of a request has no bound.

Why: ``AsyncLimiter`` (leakybucket.py) keeps its waiters in a heap ordered by the amount first and
by arrival second, and a newcomer looks at the bucket before it looks at the waiters.
"""

import asyncio
import sys

from aiolimiter import AsyncLimiter


async def main() -> list[str]:
    limiter, served = AsyncLimiter(4, 0.04), []

    async def acquire(name: str, amount: int) -> None:
        await limiter.acquire(amount)
        served.append(name)

    await limiter.acquire(4)
    big = asyncio.create_task(acquire("big", 4))
    await asyncio.sleep(0)
    small = [asyncio.create_task(acquire(f"small {i}", 1)) for i in range(4)]
    await asyncio.wait([big, *small])
    return served


served = asyncio.run(main())
buggy = served[-1] == "big"
print("BUG" if buggy else "OK", f"asked: big, then small ones; served: {served}")
sys.exit(buggy)

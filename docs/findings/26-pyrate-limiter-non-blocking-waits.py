"""pyrate-limiter: asked not to wait, it waits for somebody else's wait (asyncio).

Library: pyrate-limiter 4.5.1. Python: 3.11, 3.12, 3.13. Clause: RL-03.
Known as: not known to be reported.
Judgement: bug: ``try_acquire_async`` documents of ``blocking`` "If False, return immediately".

Why: ``try_acquire_async`` (limiter.py) takes a lock, and a caller that waits for its turn keeps
that lock all the time. So a call with ``blocking=False`` comes back when the other's wait is
over, a minute later if need be, and then says that there was no room.
"""

import asyncio
import sys

from pyrate_limiter import BucketAsyncWrapper, InMemoryBucket, Limiter, Rate, SingleBucketFactory


async def main() -> bool:
    bucket = BucketAsyncWrapper(InMemoryBucket([Rate(1, 60_000)]))
    limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False))
    assert await limiter.try_acquire_async("client")
    waiter = asyncio.create_task(limiter.try_acquire_async("client"))
    asked = asyncio.create_task(limiter.try_acquire_async("client", blocking=False))
    for _ in range(100):
        await asyncio.sleep(0)
    waits = not asked.done()
    for task in (waiter, asked):
        task.cancel()
    await asyncio.wait([waiter, asked])
    return waits


buggy = asyncio.run(main())
print("BUG" if buggy else "OK", f"a call that must return immediately waits: {buggy}")
sys.exit(buggy)

"""aiocache: when the call that holds the stampede lock fails, all waiters stampede.

Library: aiocache 0.12.3. Python: 3.11, 3.12, 3.13. Clause: SF-01.
Known as: not known to be reported for work that raises.
Judgement: bug: ``cached_stampede`` exists to prevent just this. The lock's documentation
excepts a lease that runs out ("all of them will pass"), and here none does.

Why: ``RedLock._acquire`` (lock.py) waits for the holder's event, and then goes on without
trying to get the lock itself. With a value in the cache that doesn't matter; without one,
everybody who waited runs the function at the same time.
"""

import asyncio
import sys

from aiocache import cached_stampede

running, peak = 0, 0


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def main() -> None:
    gate = asyncio.Event()

    @cached_stampede(lease=60, key="key")
    async def load() -> None:
        global running, peak
        running += 1
        peak = max(peak, running)
        try:
            await gate.wait()
            gate.clear()
            raise ValueError("the work failed")
        finally:
            running -= 1

    calls = [asyncio.create_task(load()) for _ in range(4)]
    await settle()
    gate.set()
    await settle()
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    for call in calls:
        call.cancelled() or call.exception()


asyncio.run(main())
buggy = peak > 1
print("BUG" if buggy else "OK", f"{peak} executions of one key at a time")
sys.exit(buggy)

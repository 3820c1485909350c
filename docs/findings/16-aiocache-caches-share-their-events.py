"""aiocache: two caches that use the same key break each other.

Library: aiocache 0.12.3. Python: 3.11, 3.12, 3.13. Clause: UN-10 (also SF-07).
Known as: not known to be reported.
Judgement: bug: a caller gets a KeyError of the lock's instead of its value, and the waiters of
the other cache are not woken before their lease runs out.

Why: ``RedLock._EVENTS`` (lock.py) is one table for the whole process, keyed by the cache key
alone, while the locks live in their caches. The second cache overwrites the first one's
event; the first release pops it, and the second release finds nothing.
"""

import asyncio
import sys

from aiocache import cached_stampede


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def main() -> list[object]:
    gates = asyncio.Event(), asyncio.Event()

    @cached_stampede(lease=60, key="key")
    async def users() -> str:
        await gates[0].wait()
        return "users"

    @cached_stampede(lease=60, key="key")
    async def orders() -> str:
        await gates[1].wait()
        return "orders"

    calls = [asyncio.create_task(users()), asyncio.create_task(orders())]
    await settle()
    for gate in gates:
        gate.set()
        await settle()
    return await asyncio.gather(*calls, return_exceptions=True)


answers = asyncio.run(main())
buggy = any(isinstance(answer, KeyError) for answer in answers)
print("BUG" if buggy else "OK", f"the two caches answered {answers!r}")
sys.exit(buggy)

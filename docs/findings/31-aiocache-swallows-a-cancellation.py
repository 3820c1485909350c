"""aiocache: on Python 3.11 a caller that is cancelled in the right tick goes on regardless.

Library: aiocache 0.12.3. Python: 3.11. Clause: UN-04.
Known as: https://github.com/python/cpython/issues/86296 (asyncio.wait_for, rewritten in 3.12)
Judgement: documented limit of the Python version; the library relies on it at every access.

Why: each cache operation is wrapped in ``asyncio.wait_for`` (aiocache/base.py, ``API.timeout``).
Up to Python 3.11 ``wait_for`` returns the result of its inner task and drops a cancellation
that arrives in the tick in which that task ends. The in-memory cache ends at once, so the
window is hit by a cancellation one tick after the call, and the decorated function then runs
for a caller that is gone.
"""

import asyncio
import sys

from aiocache import cached_stampede

ran_for: list[int] = []


@cached_stampede(lease=2, key_builder=lambda _, ticks: str(ticks))
async def work(ticks: int) -> int:
    ran_for.append(ticks)
    await asyncio.sleep(0)
    return ticks


async def main() -> list[int]:
    swallowed = []
    for ticks in range(1, 12):
        task = asyncio.create_task(work(ticks))
        for _ in range(ticks):
            await asyncio.sleep(0)
        if task.done() or not task.cancel():
            continue
        await asyncio.wait([task])
        if not task.cancelled():
            swallowed.append(ticks)
    return swallowed


swallowed = asyncio.run(main())
print(
    "BUG" if swallowed else "OK",
    f"cancelled after so many ticks, and returned as if nothing was: {swallowed}",
)
sys.exit(bool(swallowed))

"""asyncio-pool: a task that is cancelled while it waits for room goes on as if nothing was.

Library: asyncio-pool 0.6.0. Python: 3.11, 3.12, 3.13. Clause: UN-04.
Known as: not known to be reported.
Judgement: bug. ``asyncio.wait_for`` and ``TaskGroup`` rely on a cancellation that comes out; here
the caller returns from ``spawn`` with a future and does what comes next.

Why: ``BaseAioPool._spawn`` (base_pool.py) catches every BaseException of ``Semaphore.acquire``,
a CancelledError too, and puts it into the future of the job that never runs.
"""

import asyncio
import sys

from asyncio_pool import AioPool


async def main() -> bool:
    pool = AioPool(1)
    room = asyncio.Event()
    await pool.spawn(room.wait())

    async def submit() -> str:
        await pool.spawn(room.wait())
        return "and spawns again"

    blocked = asyncio.create_task(submit())
    for _ in range(5):
        await asyncio.sleep(0)
    blocked.cancel()
    await asyncio.wait([blocked])
    room.set()
    await pool.join()
    return not blocked.cancelled()


buggy = asyncio.run(main())
print("BUG" if buggy else "OK", "a cancelled spawn", "goes on" if buggy else "ends")
sys.exit(buggy)

"""asyncio-pool: a job that waits for room when all are cancelled runs nevertheless.

Library: asyncio-pool 0.6.0. Python: 3.11, 3.12, 3.13. Clause: WP-09.
Known as: not known to be reported.
Judgement: bug. ``cancel`` documents that without arguments it cancels "all spwaned and waiting
tasks", and counts the job among those it has cancelled.

Why: ``BaseAioPool.spawn`` (base_pool.py) registers a bare future as "placeholder" for the task
that waits. ``cancel`` cancels that future, which nobody looks at.
"""

import asyncio
import sys

from asyncio_pool import AioPool


async def main() -> tuple[int, bool]:
    pool = AioPool(1)
    ran = False

    async def job() -> None:
        nonlocal ran
        ran = True

    await pool.spawn(asyncio.Event().wait())
    blocked = asyncio.create_task(pool.spawn(job()))
    for _ in range(5):
        await asyncio.sleep(0)
    cancelled, _ = await pool.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    await pool.join()
    await asyncio.wait([blocked])
    return cancelled, ran


cancelled, buggy = asyncio.run(main())
print("BUG" if buggy else "OK", f"{cancelled} jobs cancelled; the one that waited ran: {buggy}")
sys.exit(buggy)

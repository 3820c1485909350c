"""anyio.Condition: a woken task that asyncio cancels goes on without the lock, and fails.

Library: anyio 4.16.0. Python: 3.11, 3.12, 3.13. Clause: CO-03.
Known as: not known to be reported.
Judgement: taste: anyio's documentation speaks of its own scopes, which are not affected. With
``asyncio.timeout`` or ``Task.cancel`` a program gets a RuntimeError instead of its cancellation.

Why: ``Condition.wait`` (_core/_synchronization.py) takes the lock again under a shielded cancel
scope. ``Task.cancel`` goes through the shield, ``wait`` ends without the lock, and leaving
``async with`` releases what is not held.
"""

import asyncio
import sys

import anyio


async def main() -> BaseException | None:
    condition = anyio.Condition()

    async def wait() -> None:
        async with condition:
            await condition.wait()

    waiting = asyncio.create_task(wait())
    await anyio.wait_all_tasks_blocked()
    async with condition:
        condition.notify()
        await anyio.wait_all_tasks_blocked()  # the woken one waits for the lock
        waiting.cancel()
        await anyio.wait_all_tasks_blocked()
    await asyncio.wait([waiting])
    return None if waiting.cancelled() else waiting.exception()


error = asyncio.run(main())
buggy = isinstance(error, RuntimeError)
print("BUG" if buggy else "OK", f"a cancelled wait ended with {error!r}")
sys.exit(buggy)

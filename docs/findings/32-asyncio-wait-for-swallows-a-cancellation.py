"""asyncio.wait_for: on Python 3.11 a task that is cancelled in the right tick goes on.

Library: standard library. Python: 3.11. Clause: UN-04 (also CX-16).
Known as: https://github.com/python/cpython/issues/86296 (rewritten in 3.12, pull request 98518)
Judgement: bug, fixed in 3.12.

Why: up to 3.11 ``wait_for`` runs what it waits for in a task of its own. Cancelled after that
task has ended and before it is itself resumed, it returns the result and drops the
cancellation (Lib/asyncio/tasks.py, ``except CancelledError: if fut.done(): return``). Whoever
cancelled, a timeout further out as well, is not obeyed.
"""

import asyncio
import sys


async def main() -> bool:
    gate = asyncio.Event()

    async def cancelled() -> None:
        await asyncio.wait_for(gate.wait(), timeout=60)
        await asyncio.sleep(0)  # the cancellation should not let it get here

    task = asyncio.create_task(cancelled())
    for _ in range(3):
        await asyncio.sleep(0)
    gate.set()
    await asyncio.sleep(0)  # the inner task ends
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled()


swallowed = asyncio.run(main())
print("BUG" if swallowed else "OK", f"cancelled, and it {'went on' if swallowed else 'ended'}")
sys.exit(swallowed)

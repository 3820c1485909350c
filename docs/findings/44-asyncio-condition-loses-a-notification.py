"""asyncio.Condition: a notification is lost with the cancelled task that it woke.

Library: standard library. Python: 3.11, 3.12. Clause: CO-02.
Known as: https://github.com/python/cpython/issues/112202
Judgement: bug, repaired in 3.13; shown by 3.11.7 and 3.12.1.

Why: ``Condition.notify`` (asyncio/locks.py) takes a waiter by ending its future. If the waiter is
cancelled before it has the lock back, ``wait`` raises and nobody notifies another waiter instead.
"""

import asyncio
import sys


async def main() -> list[str]:
    condition, ended = asyncio.Condition(), []

    async def wait(name: str) -> None:
        async with condition:
            await condition.wait()
            ended.append(name)

    first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with condition:
        condition.notify()  # wakes the first
        first.cancel()
    await asyncio.wait([second], timeout=0.1)
    second.cancel()
    await asyncio.wait([first, second])
    return ended


ended = asyncio.run(main())
buggy = not ended
print("BUG" if buggy else "OK", f"two wait, one is notified and cancelled; woken: {ended}")
sys.exit(buggy)

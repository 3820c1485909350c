"""trio.Condition: a notification is lost with the cancelled task that it woke.

Library: trio 0.35.0. Python: 3.11, 3.12, 3.13. Clause: CO-02.
Known as: not known to be reported. The same was repaired in asyncio (CPython issue 112202).
Judgement: bug.

Why: ``Condition.notify`` (_sync.py) moves a waiter from the condition's parking lot to the lock's.
There it can still be cancelled; ``wait`` then takes the lock and raises, and nobody notifies
another waiter instead.
"""

import sys

import trio
import trio.testing


async def main() -> list[str]:
    condition, ended = trio.Condition(), []
    scope = trio.CancelScope()

    async def wait(name: str) -> None:
        async with condition:
            await condition.wait()
            ended.append(name)

    async def wait_in_scope(name: str) -> None:
        with scope:
            await wait(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_in_scope, "first")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(wait, "second")
        await trio.testing.wait_all_tasks_blocked()
        async with condition:
            condition.notify()  # wakes the first
            scope.cancel()
            await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return ended


ended = trio.run(main)
buggy = not ended
print("BUG" if buggy else "OK", f"two wait, one is notified and cancelled; woken: {ended}")
sys.exit(buggy)

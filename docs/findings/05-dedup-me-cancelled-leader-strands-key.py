"""dedup-me: when the first caller is cancelled, the key hangs for ever.

Library: dedup-me 0.2.0. Python: 3.11, 3.12, 3.13. Clause: SF-16.
Known as: not known to be reported.
Judgement: bug: one disconnected client is enough to make every later call for that key hang.

Why: ``AsyncDedup._handle_result`` (_async.py) awaits the work and tidies up afterwards, but
not in a ``finally``. The cancellation skips the tidying: nobody sets the event that the
others wait for, and the key stays registered, so newcomers wait for it too.
"""

import asyncio
import sys

from dedup_me import AsyncDedup


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> tuple[bool, bool]:
    dedup, gate = AsyncDedup(), asyncio.Event()
    leader = asyncio.create_task(dedup.run("key", gate.wait))
    await settle()
    joiner = asyncio.create_task(dedup.run("key", gate.wait))
    await settle()
    leader.cancel()
    gate.set()
    await settle()
    newcomer = asyncio.create_task(dedup.run("key", gate.wait))
    await settle()
    stuck = not joiner.done(), not newcomer.done()
    for task in (joiner, newcomer):
        task.cancel()
    await asyncio.wait([leader, joiner, newcomer])
    return stuck


stuck = asyncio.run(main())
buggy = any(stuck)
print("BUG" if buggy else "OK", "joiner hangs: {}, newcomer hangs: {}".format(*stuck))
sys.exit(buggy)

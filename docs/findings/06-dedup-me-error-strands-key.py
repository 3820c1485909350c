"""dedup-me: when the work raises, the key hangs for ever (asyncio).

Library: dedup-me 0.2.0. Python: 3.11, 3.12, 3.13. Clause: SF-05 (also SF-14, UN-03).
Known as: not known to be reported.
Judgement: bug: any exception of the work makes every later call for that key hang.

Why: ``AsyncDedup._handle_result`` (_async.py) removes the key and wakes the others after it
has awaited the work, and not in a ``finally``.
"""

import asyncio
import sys

from dedup_me import AsyncDedup


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> tuple[bool, bool]:
    dedup, gate = AsyncDedup(), asyncio.Event()

    async def fail() -> None:
        await gate.wait()
        raise ValueError("the work failed")

    leader = asyncio.create_task(dedup.run("key", fail))
    await settle()
    joiner = asyncio.create_task(dedup.run("key", fail))
    await settle()
    gate.set()
    await asyncio.wait([leader])
    assert isinstance(leader.exception(), ValueError)
    newcomer = asyncio.create_task(dedup.run("key", fail))
    await settle()
    stuck = not joiner.done(), not newcomer.done()
    for task in (joiner, newcomer):
        task.cancel()
    await asyncio.wait([joiner, newcomer])
    return stuck


stuck = asyncio.run(main())
buggy = any(stuck)
print("BUG" if buggy else "OK", "joiner hangs: {}, newcomer hangs: {}".format(*stuck))
sys.exit(buggy)

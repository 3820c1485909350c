"""dedup-me: when a caller that joined is cancelled, the one that worked never returns.

Library: dedup-me 0.2.0. Python: 3.11, 3.12, 3.13. Clause: SF-15.
Known as: not known to be reported.
Judgement: bug: the first caller has its result and still hangs.

Why: in _async.py the first caller waits until as many callers as have joined have picked the
result up. ``_wait_for_result`` counts itself in, waits, and counts itself out again, but not
in a ``finally``; a cancelled one is waited for in vain.
"""

import asyncio
import sys

from dedup_me import AsyncDedup


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> bool:
    dedup, gate = AsyncDedup(), asyncio.Event()
    leader = asyncio.create_task(dedup.run("key", gate.wait))
    await settle()
    joiner = asyncio.create_task(dedup.run("key", gate.wait))
    await settle()
    joiner.cancel()
    await settle()
    gate.set()
    await settle()
    stuck = not leader.done()
    leader.cancel()
    await asyncio.wait([leader, joiner])
    return stuck


buggy = asyncio.run(main())
print("BUG" if buggy else "OK", f"the work is done and its caller hangs: {buggy}")
sys.exit(buggy)

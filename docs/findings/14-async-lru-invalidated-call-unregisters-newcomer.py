"""async-lru: a call that was invalidated and then fails takes its successor's place away.

Library: async-lru 2.4.0. Python: 3.11, 3.12, 3.13. Clause: SF-09 (also SF-01).
Known as: not known to be reported.
Judgement: bug, of the same cause as the one for a cancelled call.

Why: ``cache_invalidate`` (__init__.py) lets the next call start anew beside the running one.
When the old one fails, ``_task_done_callback`` removes the entry by key, without a look at
whose it is, so the call after that starts a third execution beside the second.
"""

import asyncio
import sys

from async_lru import alru_cache


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> int:
    gates: list[asyncio.Event] = []

    @alru_cache(maxsize=None)
    async def load() -> None:
        gates.append(asyncio.Event())
        await gates[-1].wait()
        raise ValueError("the work failed")

    calls = [asyncio.create_task(load())]
    await settle()
    load.cache_invalidate()
    calls.append(asyncio.create_task(load()))
    await settle()
    gates[0].set()
    await settle()
    calls.append(asyncio.create_task(load()))
    await settle()
    for gate in gates:
        gate.set()
    await asyncio.wait(calls)
    for call in calls:
        call.exception()
    return len(gates)


executions = asyncio.run(main())
buggy = executions > 2
print(
    "BUG" if buggy else "OK", f"{executions} executions, where the third call could join the second"
)
sys.exit(buggy)

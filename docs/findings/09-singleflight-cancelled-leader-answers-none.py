"""singleflight: when the first caller is cancelled, everybody gets None from then on.

Library: singleflight 0.1.3. Python: 3.11, 3.12, 3.13. Clause: SF-16 (also SF-03, SF-05).
Known as: not known to be reported.
Judgement: bug: None is no result of the work, and the work is never run again for that key.

Why: ``SingleFlightAsync.call`` (asynchronous.py) keeps the outcome in ``except Exception``,
which a cancellation passes by, and sets the event in ``finally``; the statement after it that
removes the key is not reached. Whoever waits, or comes later, reads the initial None.
"""

import asyncio
import sys

from singleflight.asynchronous import SingleFlightAsync


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> list[object]:
    flights, gate = SingleFlightAsync(), asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "value"

    leader = asyncio.create_task(flights.call(work, "key"))
    await settle()
    joiner = asyncio.create_task(flights.call(work, "key"))
    await settle()
    leader.cancel()
    gate.set()
    return [await joiner, await flights.call(work, "key")]


answers = asyncio.run(main())
buggy = answers != ["value", "value"]
print("BUG" if buggy else "OK", "joiner got {!r}, newcomer got {!r}".format(*answers))
sys.exit(buggy)

"""asyncio: ``gather`` raises the first error while the other functions go on.

Library: standard library. Python: 3.11, 3.12, 3.13. Clause: FO-04.
Known as: the reason for which ``asyncio.TaskGroup`` was added in Python 3.11.
Judgement: documented behaviour ("other awaitables ... won't be cancelled and will continue to
run"), and a trap for whoever uses it as a fan-out: what goes on has nobody who waits for it.

Why: ``gather`` hands on the first exception as soon as it is set, and keeps no account of the
other tasks from then on.
"""

import asyncio
import sys


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> bool:
    gate = asyncio.Event()
    ended: list[int] = []

    async def function(item: int) -> None:
        if item == 1:
            raise ValueError("the second fails")
        await gate.wait()
        ended.append(item)

    try:
        await asyncio.gather(*(function(item) for item in range(3)))
    except ValueError:
        running = not ended
    gate.set()
    await settle()
    return running and ended == [0, 2]


buggy = asyncio.run(main())
print("BUG" if buggy else "OK", "functions", "go on" if buggy else "end", "before the call does")
sys.exit(buggy)

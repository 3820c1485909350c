"""discord.py: a long run is followed by a burst of all the runs that it outlasted.

Library: discord.py 2.7.1. Python: 3.11, 3.12, 3.13. Clause: TK-09.
Known as: https://github.com/Rapptz/discord.py/issues/9656
Judgement: matter of taste: "as designed" say the maintainers, and the documentation says nothing.

Why: ``Loop._loop`` (ext/tasks/__init__.py) adds one interval to the due time of the last run, and
sleeps until then, which is no sleep at all as long as that time has passed.
"""

import asyncio
import sys

from discord.ext import tasks

INTERVAL = 0.05
begun: list[float] = []


@tasks.loop(seconds=INTERVAL, count=8)
async def work() -> None:
    begun.append(asyncio.get_running_loop().time())
    if len(begun) == 1:
        await asyncio.sleep(5.5 * INTERVAL)


async def main() -> None:
    await asyncio.wait([work.start()], timeout=10)


asyncio.run(main())
first, *later = begun
burst = sum(1 for at in later if at - later[0] < INTERVAL / 4)
buggy = burst > 2
print("BUG" if buggy else "OK", f"runs that began together after a long one: {burst}")
sys.exit(buggy)

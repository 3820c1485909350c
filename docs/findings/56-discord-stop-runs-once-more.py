"""discord.py: a loop that is stopped between two runs waits a whole period, and runs once more.

Library: discord.py 2.7.1. Python: 3.11, 3.12, 3.13. Clause: TK-08.
Known as: not known to be reported; https://github.com/Rapptz/discord.py/pull/6744 moved the check.
Judgement: bug: ``stop`` is documented to let the current iteration finish, and none is under way.
A loop of an hour that is stopped while it sleeps works once more, up to an hour later.

Why: ``Loop._loop`` (ext/tasks/__init__.py) looks at the request only right after a run, and then
sleeps and begins the next run without another look.
"""

import asyncio
import sys

from discord.ext import tasks

INTERVAL = 0.1
runs: list[str] = []
stopped = False


@tasks.loop(seconds=INTERVAL)
async def work() -> None:
    runs.append("after stop" if stopped else "before stop")


async def main() -> tuple[bool, int]:
    global stopped
    task = work.start()
    await asyncio.sleep(INTERVAL / 2)  # the first run, which comes at once, has ended
    work.stop()
    stopped = True
    await asyncio.sleep(INTERVAL / 4)
    ended_at_once = task.done()
    await asyncio.wait([task], timeout=10)
    return ended_at_once, runs.count("after stop")


ended_at_once, more = asyncio.run(main())
buggy = not ended_at_once and more > 0
print("BUG" if buggy else "OK", f"ended by stop: {ended_at_once}; runs that began after it: {more}")
sys.exit(buggy)

"""throttler: on a machine that was just started, the first caller waits for no reason.

Library: throttler 1.2.3. Python: 3.11, 3.12, 3.13. Clause: RL-01.
Known as: not known to be reported.
Judgement: bug: with a limit per hour, an empty throttler lets nobody in during the first hour
after the machine was started.

Why: ``Throttler`` (throttler.py) fills its log with the time 0.0 for "long ago". But
``time.monotonic`` counts, on the usual systems, from about the start of the machine.
"""

import asyncio
import sys
import time

from throttler import Throttler, throttler

slept: list[float] = []
uptime = 600.0


class Clock:
    """A machine that has been up for ten minutes, and whose sleeps take no time."""

    def monotonic(self) -> float:
        return uptime

    async def sleep(self, seconds: float) -> None:
        global uptime
        slept.append(seconds)
        uptime += seconds + 1


throttler.time = throttler.asyncio = Clock()


async def main() -> None:
    async with Throttler(rate_limit=1, period=3600):
        pass


asyncio.run(main())
buggy = bool(slept)
print("BUG" if buggy else "OK", f"the first of 1 an hour waited {sum(slept):.0f} s")
print(f"(this machine's clock stands at {time.monotonic():.0f} s)")
sys.exit(buggy)

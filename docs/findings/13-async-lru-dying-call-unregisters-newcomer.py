"""async-lru: a call that was cancelled takes its successor's place in the cache away.

Library: async-lru 2.4.0. Python: 3.11, 3.12, 3.13. Clause: SF-01 (also SF-17).
Known as: not known to be reported.
Judgement: bug: the README promises that "multiple concurrent calls will only result in 1 call
to the wrapped function".

Why: when its last waiter is cancelled, ``_shield_and_handle_cancelled_error`` (__init__.py)
cancels the task and removes the entry. When the task has ended, ``_task_done_callback`` removes
the entry again, by key, without a look at whose it is; by now it may be a newcomer's, and the
next call starts the function a second time beside it.
"""

import asyncio
import sys

from async_lru import alru_cache

running, peak = 0, 0


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> None:
    rolled_back = asyncio.Event()

    @alru_cache(maxsize=None)
    async def load() -> None:
        global running, peak
        running += 1
        peak = max(peak, running)
        try:
            await asyncio.Event().wait()
        finally:
            running -= 1
            await rolled_back.wait()

    first = asyncio.create_task(load())
    await settle()
    first.cancel()
    await settle()
    second = asyncio.create_task(load())
    await settle()
    rolled_back.set()
    await settle()
    third = asyncio.create_task(load())
    await settle()
    for task in (second, third):
        task.cancel()
    await asyncio.wait([first, second, third])


asyncio.run(main())
buggy = peak > 1
print("BUG" if buggy else "OK", f"{peak} executions of one key at a time")
sys.exit(buggy)

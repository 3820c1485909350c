"""asyncio: a task that several callers await dies with any one of them.

Library: standard library. Python: 3.11, 3.12, 3.13. Clause: SF-16 (also SF-15).
Known as: what many hand-written "single flight" dictionaries of tasks do.
Judgement: documented behaviour of asyncio, and a bug of the recipe: use ``asyncio.shield``, or
wait for the task with ``asyncio.wait``.

Why: cancelling a task cancels what it awaits, so one caller's cancellation reaches the shared
task, and from there all other callers.
"""

import asyncio
import sys

tasks: dict[str, asyncio.Task[str]] = {}


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> str:
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "value"

    async def do(key: str) -> str:
        if key not in tasks:
            tasks[key] = asyncio.create_task(work())
            tasks[key].add_done_callback(lambda _: tasks.pop(key))
        return await tasks[key]

    leader = asyncio.create_task(do("key"))
    await settle()
    joiner = asyncio.create_task(do("key"))
    await settle()
    leader.cancel()
    gate.set()
    await asyncio.wait([leader, joiner])
    return "a cancellation" if joiner.cancelled() else repr(joiner.result())


answer = asyncio.run(main())
buggy = answer == "a cancellation"
print("BUG" if buggy else "OK", f"the caller that nobody cancelled got {answer}")
sys.exit(buggy)

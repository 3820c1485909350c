"""asyncio: a task group with a semaphore starts the next function after one has failed.

Library: standard library. Python: 3.11, 3.12, 3.13. Clause: TG-08.
Known as: the usual recipe for a limit on an ``asyncio.TaskGroup``.
Judgement: documented behaviour of asyncio, and a weakness of the recipe: what a function does
before it first waits (a request sent, a row written) is done, although the group has failed.

Why: the function that fails gives its slot back before its task ends, and the group hears of the
error from the task's callback. The one that waits for the slot is scheduled before that callback.
"""

import asyncio
import sys


async def main() -> list[str]:
    events: list[str] = []
    slots = asyncio.Semaphore(1)

    async def work(name: str) -> None:
        async with slots:
            events.append(f"{name} begins")
            await asyncio.sleep(0)
            events.append(f"{name} fails")
            raise ValueError(name)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work("first"))
            group.create_task(work("second"))
    except ExceptionGroup as errors:
        events.append(f"{len(errors.exceptions)} error")
    return events


story = asyncio.run(main())
buggy = "second begins" in story
print("BUG" if buggy else "OK", *story, sep=", ")
sys.exit(buggy)

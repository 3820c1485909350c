"""anyio on asyncio: a task that is started while an empty group is being left is forgotten.

Library: anyio 4.16.0. Python: 3.11, 3.12, 3.13. Clause: TG-01.
Known as: not found in public; pull request 1071 (open) works on other exits of the same class.
Judgement: bug. "A task group is an asynchronous context manager that makes sure that all its
child tasks are finished one way or another after the context block is exited"
(documentation, "Creating and managing tasks").

Why: without tasks ``__aexit__`` makes one checkpoint instead of waiting, and does not look again
after it. Until then the group takes tasks. If the forgotten task fails, its callback looks for a
list that ``__aexit__`` has deleted, so that error is lost as well.
"""

import asyncio
import sys

import anyio


async def main() -> str:
    events: list[str] = []
    entered = asyncio.Event()
    group = anyio.create_task_group()

    async def child() -> None:
        events.append("child begins")
        await asyncio.sleep(0.01)
        events.append("child ends")

    async def block() -> None:
        async with group:
            entered.set()
        events.append("block left")

    async def other() -> None:
        await entered.wait()
        group.start_soon(child)

    tasks = [asyncio.create_task(other()), asyncio.create_task(block())]
    await asyncio.wait(tasks)
    await asyncio.sleep(0.02)
    return ", ".join(events)


story = asyncio.run(main())
buggy = story.index("block left") < story.index("child ends")
print("BUG" if buggy else "OK", story)
sys.exit(buggy)

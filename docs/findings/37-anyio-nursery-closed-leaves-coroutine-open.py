"""anyio on trio: the coroutine of a start that is refused while a group is being left stays open.

Library: anyio 4.16.0. Python: 3.11, 3.12, 3.13. Clause: TG-20.
Known as: not found in public.
Judgement: bug, of little weight: a start that is refused later does close the coroutine, and a
warning says that this one was never awaited.

Why: the group closes the coroutine if it knows that it is not active any more. For the moments
between the end of its last task and the end of ``__aexit__`` only trio's nursery knows, and
raises; then nobody closes the coroutine.
"""

import inspect
import sys

import anyio
import trio


async def main() -> str:
    entered, refused = trio.Event(), []
    group = anyio.create_task_group()

    async def child() -> None:
        pass

    async def block() -> None:
        async with group:
            entered.set()

    async def other() -> None:
        await entered.wait()
        while True:  # whichever task trio lets run first: until it is refused
            coroutine = child()
            try:
                group.create_task(coroutine)
            except RuntimeError as error:
                refused.append((str(error), inspect.getcoroutinestate(coroutine)))
                coroutine.close()
                return
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        nursery.start_soon(block)
    return str(refused[0])


answers = {trio.run(main) for _ in range(100)}
buggy = any(inspect.CORO_CREATED in answer for answer in answers)
print("BUG" if buggy else "OK", *sorted(answers), sep="\n")
sys.exit(buggy)

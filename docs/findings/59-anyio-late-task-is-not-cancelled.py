"""anyio on asyncio: a task started as a cancelled group's last task ends is never cancelled.

Library: anyio 4.16.0. Python: 3.11, 3.12, 3.13. Clause: UN-04.
Known as: not found in public; issues 787 and 1069 are about neighbouring defects.
Judgement: bug. The block was cancelled and does not end: it waits for a task that nobody cancels.

Why: a scope delivers its cancellation again and again until all its tasks are done. A task that
is started after that, in the few steps before the block goes on, is put into the cancelled scope,
but nothing resumes the delivery, and ``__aexit__`` waits for it behind a shield.
"""

import asyncio
import sys

import anyio


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def left_after(delay: int) -> bool:
    """Whether a cancelled block is left if a task is started so many turns after that."""
    group = anyio.create_task_group()

    async def block() -> None:
        async with group:
            group.start_soon(anyio.sleep_forever)

    host = asyncio.create_task(block())
    await turns(5)
    host.cancel()
    await turns(delay)
    try:
        late = group.start_soon(anyio.sleep_forever)
    except RuntimeError:  # it is left already
        late = None
    await turns(50)
    done = host.done()
    if late is not None:
        late.cancel()
    await asyncio.wait([host])
    return done


async def main() -> list[int]:
    return [delay for delay in range(6) if not await left_after(delay)]


hanging = asyncio.run(main())
print("BUG" if hanging else "OK", f"the block hangs if the task is started after {hanging} turns")
sys.exit(bool(hanging))

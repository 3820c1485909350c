"""aiorwlock: when a waiting writer is cancelled, the readers behind it go on waiting.

Library: aiorwlock 1.5.1. Python: 3.11, 3.12, 3.13. Clause: UN-04 (rwlock).
Known as: not known to be reported for this library (its issue 400, a broken counter after the same
cancellation, is another defect, and fixed). sgl-project/sglang fixed the same in a lock of its own:
pull request 31657.
Judgement: bug. A writer that gives up, by ``asyncio.timeout`` for instance, leaves a trace: readers
that nothing stands in the way of wait until the reader that holds the lock is done, however long
that takes; if it waits for one of them, for ever. A reader that comes later gets in at once.

Why: ``_wake_up`` lets readers in only when nobody reads, and a writer that is cancelled calls it
while another reader does. It also calls it before it has left the queue of writers.
"""

import asyncio
import sys

import aiorwlock


async def main() -> list[str]:
    lock, inside, done = aiorwlock.RWLock(), [], asyncio.Event()

    async def read(name: str) -> None:
        async with lock.reader:
            inside.append(name)
            await done.wait()

    async def write() -> None:
        async with lock.writer:
            pass

    tasks = []
    for caller in (read("first"), write(), read("behind the writer")):
        tasks.append(asyncio.create_task(caller))
        await asyncio.sleep(0.01)
    tasks[1].cancel()
    await asyncio.sleep(0.01)
    tasks.append(asyncio.create_task(read("latecomer")))
    await asyncio.sleep(0.01)
    seen = [*inside]
    done.set()
    await asyncio.wait(tasks)
    return seen


inside = asyncio.run(main())
buggy = inside == ["first", "latecomer"]
print("BUG" if buggy else "OK", f"the writer is gone, and these read: {', '.join(inside)}")
sys.exit(buggy)

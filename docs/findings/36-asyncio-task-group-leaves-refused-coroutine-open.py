"""asyncio.TaskGroup: the coroutine of a refused ``create_task`` is left open.

Library: standard library. Python: 3.11, 3.12. Clause: TG-20.
Known as: CPython issue 115957, fixed for 3.13 by pull request 116009.
Judgement: bug, of little weight: whoever gets the error can't know whether he still has to close
the coroutine, and if nobody does there is a warning that it was never awaited.

Why: ``create_task`` raises before it makes a task, and does nothing about the coroutine.
"""

import asyncio
import inspect
import sys


async def main() -> str:
    async def child() -> None:
        pass

    async with asyncio.TaskGroup() as group:
        pass
    coroutine = child()
    try:
        group.create_task(coroutine)
    except RuntimeError:
        return inspect.getcoroutinestate(coroutine)
    finally:
        coroutine.close()
    return "accepted"


state = asyncio.run(main())
buggy = state == inspect.CORO_CREATED
print("BUG" if buggy else "OK", f"after the refusal the coroutine is {state}")
sys.exit(buggy)

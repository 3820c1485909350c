"""oneflight: cancelling the first caller cancels everybody who joined it.

Library: oneflight 0.1.0. Python: 3.11, 3.12, 3.13. Clause: SF-16.
Known as: not known to be reported.
Judgement: bug: the README calls it "cancellation-safe: cancelling one waiter never cancels the
shared work or the others". Whoever happens to come first is the exception, and the others
can't tell a cancellation that isn't theirs from one that is.

Why: ``AsyncOneFlight._execute`` (_async.py) runs the work in the first caller's task, catches
BaseException, CancelledError included, and hands it to all as the outcome.
"""

import asyncio
import sys

from oneflight import AsyncOneFlight


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def main() -> str:
    flights, gate = AsyncOneFlight(), asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "value"

    leader = asyncio.create_task(flights.do("key", work))
    await settle()
    joiner = asyncio.create_task(flights.do("key", work))
    await settle()
    leader.cancel()
    gate.set()
    await asyncio.wait([leader, joiner])
    return "a cancellation" if joiner.cancelled() else repr(joiner.result())


answer = asyncio.run(main())
buggy = answer == "a cancellation"
print("BUG" if buggy else "OK", f"the caller that nobody cancelled got {answer}")
sys.exit(buggy)

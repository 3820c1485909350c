"""cached-property: one cancelled reader of an async property breaks it for good.

Library: cached-property 2.0.1. Python: 3.11, 3.12, 3.13. Clause: ON-13 (also ON-12, ON-14).
Known as: not known to be reported.
Judgement: bug: the README offers it for async code, where a client that goes away or a timeout
cancels readers all the time.

Why: ``cached_property`` (cached_property.py) stores the task of the getter as the attribute, and
awaiting a task hands one's own cancellation on to it. The other readers see a cancellation that
nobody asked for, and so does everybody who comes later.
"""

import asyncio
import sys

from cached_property import cached_property


class Client:
    @cached_property
    async def connection(self) -> object:
        await gate.wait()
        return object()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def read() -> str:
    try:
        await client.connection
    except asyncio.CancelledError:
        return "a cancellation"
    return "a connection"


async def main() -> list[str]:
    readers = [asyncio.create_task(read()) for _ in range(2)]
    await settle()
    readers[0].cancel()
    await settle()
    gate.set()
    return [await readers[1], await read()]


client, gate = Client(), asyncio.Event()
answers = asyncio.run(main())
buggy = "a cancellation" in answers
print("BUG" if buggy else "OK", "the other reader got {}, a later one got {}".format(*answers))
sys.exit(buggy)

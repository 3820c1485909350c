"""anyio: a send that is cancelled as its item is taken is delivered all the same (asyncio).

Library: anyio 4.16.0. Python: 3.11, 3.12 and 3.13. Clause: CH-15.
Known as: https://github.com/agronholm/anyio/issues/536 names it, closed for anyio's own scopes
Judgement: taste: anyio's documentation speaks of its own scopes, which are not affected. With
``Task.cancel``, who repeats a send that was cancelled delivers its item twice.

Why: ``MemoryObjectReceiveStream.receive_nowait`` takes the item out of ``waiting_senders`` and sets
the sender's event. A native cancellation before the sender's task next runs is raised out of
``event.wait()`` in ``MemoryObjectSendStream.send``, as if nothing had been sent. On trio, and with
anyio's own scopes, a task that has been woken is no longer cancelled.
"""

import asyncio
import sys

import anyio


async def main() -> tuple[bool, list[str]]:
    send, receive = anyio.create_memory_object_stream[str](0)
    async with send, receive:
        task = asyncio.create_task(send.send("the item"))
        await asyncio.sleep(0.01)  # it waits
        arrived = [await receive.receive()]  # takes the item, and the sender is woken
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():  # so it is sent again
            again = asyncio.create_task(send.send("the item"))
            arrived.append(await receive.receive())
            await again
        return task.cancelled(), arrived


cancelled, arrived = asyncio.run(main())
twice = cancelled and len(arrived) == 2
print("BUG" if twice else "OK", f"send cancelled: {cancelled}, arrived: {arrived}")
sys.exit(twice)

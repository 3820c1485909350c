"""anyio: a receive that is cancelled as its item arrives takes the item with it (asyncio).

Library: anyio 4.16.0. Python: 3.11, 3.12 and 3.13. Clause: CH-15.
Known as: https://github.com/agronholm/anyio/issues/146 and 728, both closed for anyio's own scopes
Judgement: taste: anyio's documentation speaks of its own scopes, which are not affected. With
``Task.cancel`` an item is gone, and neither side learns of it.

Why: ``MemoryObjectSendStream.send_nowait`` leaves the item in the waiting receiver and sets its
event; from then on the send has succeeded. ``MemoryObjectReceiveStream.receive`` returns the item
when its task next runs. A native cancellation between the two is raised out of ``event.wait()``,
and the ``finally`` block drops the receiver and its item. ``has_pending_cancellation``, which
the sender checks, tells of cancellations before the send only. On trio, and with anyio's own
scopes, a task that has been woken is no longer cancelled.
"""

import asyncio
import contextlib
import sys

import anyio


async def main() -> tuple[bool, list[str]]:
    send, receive = anyio.create_memory_object_stream[str](1)
    arrived: list[str] = []

    async def receiver() -> None:
        arrived.append(await receive.receive())

    async with send, receive:
        task = asyncio.create_task(receiver())
        await asyncio.sleep(0.01)  # it waits
        await send.send("the item")  # has succeeded, and the receiver is woken
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(anyio.WouldBlock):  # the stream does not have it either
            arrived.append(receive.receive_nowait())
        return task.cancelled(), arrived


cancelled, arrived = asyncio.run(main())
lost = cancelled and not arrived
print("BUG" if lost else "OK", f"sent 1 item, receive cancelled: {cancelled}, arrived: {arrived}")
sys.exit(lost)

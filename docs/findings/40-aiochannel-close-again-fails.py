"""aiochannel: closing a channel a second time fails if a sender was blocked at the first.

Library: aiochannel 1.4.1. Python: 3.11, 3.12 and 3.13. Clause: CH-08.
Known as: not known to be reported
Judgement: bug; whether somebody was blocked decides if a second close is a no-op or an error.

Why: ``Channel.close`` (channel.py) sets ChannelClosed as the exception of each future in
``_putters``, and leaves the futures there. A second close sets it again, and asyncio raises
InvalidStateError. Without blocked senders the second close does nothing.
"""

import asyncio
import sys

from aiochannel import Channel, ChannelClosed


async def main() -> list[str]:
    seen = []
    for senders in (0, 1):
        channel = Channel[str](1)
        await channel.put("fills the channel")
        blocked = [asyncio.create_task(channel.put("waits")) for _ in range(senders)]
        await asyncio.sleep(0.01)
        channel.close()
        for error in await asyncio.gather(*blocked, return_exceptions=True):
            assert isinstance(error, ChannelClosed)
        try:
            channel.close()
        except asyncio.InvalidStateError as error:
            seen.append(type(error).__name__)
        else:
            seen.append("nothing")
    return seen


seen = asyncio.run(main())
fails = seen[0] != seen[1]
print("BUG" if fails else "OK", f"a second close raised {seen[0]}, with a blocked sender {seen[1]}")
sys.exit(fails)

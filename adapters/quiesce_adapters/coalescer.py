"""coalescer: concurrent calls with one key become one execution, in asyncio and in threads."""

from collections.abc import Awaitable, Callable

import coalescer
import coalescer.sync

import quiesce

# README, "Coming from Go's singleflight": shared is "not exposed", DoChan has no equivalent.
# It does promise that an exception reaches every waiter, and it refuses a flight that would
# join itself ("cannot join itself", _async_group.py and _sync_group.py).
LACKS = {"shared", "future"}


@quiesce.adapter(
    "singleflight",
    world="threads",
    distribution="coalescer",
    lacks=LACKS,
    # README: "Synchronous work belongs to the first caller's thread"; "It is not a cache".
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Threads:
    """``coalescer.sync.Coalescer``."""

    def __init__(self) -> None:
        self._group = coalescer.sync.Coalescer()

    def do(self, key: str, work: Callable[[], object]) -> object:
        return self._group.do(key, work)

    def forget(self, key: str) -> None:
        self._group.forget(key)


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="coalescer",
    lacks=LACKS,
    # README: "Cancelling one caller does not affect the others", and
    # "Work stops when nobody is left waiting".
    dialect={"sf_cancel": "detached", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Asyncio:
    """``coalescer.Coalescer``."""

    def __init__(self) -> None:
        self._group = coalescer.Coalescer()

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        return await self._group.do(key, work)

    def forget(self, key: str) -> None:
        self._group.forget(key)

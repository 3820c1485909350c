"""aiocache: a cache whose ``cached_stampede`` lets one of several concurrent misses work."""

from collections.abc import Awaitable, Callable

from aiocache import cached_stampede  # type: ignore[import-untyped] # no py.typed

import quiesce

#: Seconds for which a miss may keep the others waiting. After it "all of them will pass"
#: (lock.py), so it is longer than any run: a lease that runs out is a documented limit.
LEASE = 1_000_000


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="aiocache",
    # Values alone travel through the cache: after a failure the others work themselves.
    # ``delete`` is a coroutine, where a port's ``forget`` returns at once.
    lacks={
        *("shared", "future", "forget", "errors_shared", "reentrance_error", "exit"),
        "release",  # a cache keeps what it has
    },
    # decorators.py: the caller that holds the lock awaits the function itself, and without a
    # ``ttl`` the value stays ("Default is None which means no expiration").
    dialect={"sf_cancel": "inline", "sf_last_cancel": "cancels", "remembers": "values"},
)
class Stampede:
    """``cached_stampede`` over the in-memory cache, keyed by the key alone."""

    def __init__(self) -> None:
        async def run(_: str, work: Callable[[], Awaitable[object]]) -> tuple[object]:
            return (await work(),)  # boxed, because a cached None counts as a miss

        self._run = cached_stampede(lease=LEASE, key_builder=lambda _, key, __: key)(run)

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        (value,) = await self._run(key, work)
        return value

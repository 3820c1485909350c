"""async-lru: a cache for coroutines whose concurrent misses share one call."""

from collections.abc import Awaitable, Callable

from async_lru import alru_cache

import quiesce


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="async-lru",
    # A decorated function returns the bare value, and nothing says what a call from inside
    # the work does.
    lacks={"shared", "future", "reentrance_error", "release"},
    # README: "multiple concurrent calls will only result in 1 call to the wrapped function".
    # __init__.py: all waiters await one shielded task, and "if this is the last waiter" it is
    # cancelled. Values are kept until invalidated; failures are not.
    dialect={"sf_cancel": "detached", "sf_last_cancel": "cancels", "remembers": "values"},
)
class Cached:
    """``alru_cache`` without bound, keyed by the key alone."""

    def __init__(self) -> None:
        @alru_cache(maxsize=None, key=lambda key, _: key)
        async def run(_: str, work: Callable[[], Awaitable[object]]) -> object:
            return await work()

        self._run = run

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        return await self._run(key, work)

    def forget(self, key: str) -> None:
        self._run.cache_invalidate(key, None)

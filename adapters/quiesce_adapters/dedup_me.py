"""dedup-me: concurrent calls in flight are deduplicated, in threads and in asyncio."""

from collections.abc import Awaitable, Callable

from dedup_me import AsyncDedup, ThreadingDedup  # type: ignore[import-untyped] # no py.typed

import quiesce

# The README speaks of results only and never of exceptions, so nothing is claimed about
# what the others get when the work fails.
LACKS = {"shared", "future", "errors_shared", "reentrance_error", "exit"}


@quiesce.adapter(
    "singleflight",
    world="threads",
    distribution="dedup-me",
    # ``force_new`` is an argument of the next call and not a call of its own.
    lacks={*LACKS, "forget"},
    # README: "This library does not cache results".
    dialect={"sf_cancel": "none", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Threads:
    """``ThreadingDedup``: the first caller's thread runs the work."""

    def __init__(self) -> None:
        self._dedup = ThreadingDedup()

    def do(self, key: str, work: Callable[[], object]) -> object:
        return self._dedup.run(key, work)


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    distribution="dedup-me",
    lacks=LACKS,
    # The first caller awaits the work itself (_async.py), so it dies with that caller.
    dialect={"sf_cancel": "inline", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class Asyncio:
    """``AsyncDedup``: the first caller's task runs the work."""

    def __init__(self) -> None:
        self._dedup = AsyncDedup()
        self._forgotten: set[str] = set()

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        # ``run`` registers the key before it first suspends, so no call slips in between.
        force_new = key in self._forgotten
        self._forgotten.discard(key)
        return await self._dedup.run(key, work, force_new=force_new)

    def forget(self, key: str) -> None:
        # README, "Forcing a new execution": that is what the next call then asks for.
        self._forgotten.add(key)

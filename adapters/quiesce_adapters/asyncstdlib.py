"""asyncstdlib: ``cached_property`` for coroutines, as once, with and without a lock."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncstdlib

import quiesce

LACKS = {"own_function", "reentrance_error", "release"}
# functools.py: the getter runs in the caller that got there, and only a value is kept.
DIALECT = {"once_error": "retry", "once_cancel": "retry"}


@quiesce.adapter(
    "once",
    world="asyncio",
    name="asyncstdlib.cached_property_lock",
    distribution="asyncstdlib",
    lacks=LACKS,
    dialect=DIALECT,
)
class Locked:
    """Docstring: "to enforce that the getter is executed at most once" give it a lock type."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work

    @asyncstdlib.cached_property(asyncio.Lock)
    async def value(self) -> object:
        return await self._work()

    async def call(self) -> object:
        return await self.value


@quiesce.adapter(
    "once",
    world=("asyncio", "trio"),
    name="asyncstdlib.cached_property",
    distribution="asyncstdlib",
    lacks={*LACKS, "single_init"},  # docstring: "the getter can be run more than once"
    dialect=DIALECT,
)
class Plain:
    """The property without a lock."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self._work = work

    @asyncstdlib.cached_property
    async def value(self) -> object:
        return await self._work()

    async def call(self) -> object:
        return await self.value

"""Once of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable

import quiesce
from quiesce_reference.aio import Once, once_func, once_value

WORLDS = ("asyncio", "trio")
PACKAGES = ["quiesce_reference"]
REQUIRES = ["quiesce_reference", "anyio"]
STORED = {"once_error": "stored", "once_cancel": "retry"}  # the wrappers keep an error
Work = Callable[[], Awaitable[object]]


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.Once",
    # It has no value, and here it is the adapter that keeps the function.
    lacks={"value", "release"},
    dialect={"once_error": "done_silently", "once_cancel": "retry"},  # as Go's Once.Do
)
class OnceObject:
    """``Once``: each caller may bring a function of its own."""

    def __init__(self, work: Work) -> None:
        self._once, self._work = Once(), work

    async def call(self) -> None:
        await self._once.do(self._work)

    async def call_own(self, work: Work) -> None:
        await self._once.do(work)


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.once_func",
    lacks={"own_function", "value"},
    dialect=STORED,
)
class OnceFunc:
    """``once_func``."""

    def __init__(self, work: Work) -> None:
        self._once = once_func(work)

    async def call(self) -> None:
        await self._once()


@quiesce.adapter(
    "once",
    world=WORLDS,
    packages=PACKAGES,
    requires=REQUIRES,
    scope="anyio",
    name="reference.once_value",
    lacks={"own_function"},
    dialect=STORED,
)
class OnceValue:
    """``once_value``."""

    def __init__(self, work: Work) -> None:
        self._once = once_value(work)

    async def call(self) -> object:
        return await self._once()

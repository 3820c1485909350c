"""Cells that end with a verdict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from quiesce.adapters import adapter

LACKS = ("shared", "future", "forget")
Work = Callable[[], Awaitable[object]]


class Asynchronous:
    async def do(self, key: object, work: Work) -> object:
        return await work()


@adapter("singleflight", world=("asyncio", "trio"), name="fake.fine", lacks=LACKS)
class Fine(Asynchronous):
    pass


@adapter("singleflight", world="threads", name="fake.fine", lacks=LACKS)
class FineThreads:
    def do(self, key: object, work: Callable[[], object]) -> object:
        return work()


@adapter("singleflight", world="asyncio", name="fake.violates", lacks=LACKS)
class Violates(Asynchronous):
    pass


@adapter("singleflight", world="threads", name="fake.violates", lacks=LACKS)
class ViolatesThreads(FineThreads):
    pass


@adapter("singleflight", world="asyncio", name="fake.advisory", lacks=LACKS)
class Advisory(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="fake.unsure", lacks=LACKS)
class Unsure(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="fake.idle", lacks=LACKS)
class Idle(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="fake.claims_nothing", lacks=LACKS)
class ClaimsNothing(Asynchronous):
    pass


@adapter(
    "singleflight",
    world="asyncio",
    name="absent",
    distribution="Not-There",
    requires=("not_there_at_all",),
    lacks=LACKS,
)
class Absent(Asynchronous):
    pass

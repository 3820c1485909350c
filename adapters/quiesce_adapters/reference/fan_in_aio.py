"""Fan-in of the reference, for asyncio and trio."""

from collections.abc import AsyncIterable

import quiesce
from quiesce_reference.aio import Merge, merge

Source = AsyncIterable[object]


@quiesce.adapter(
    "fan_in",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.merge",
)
class Merged:
    """``merge``."""

    def __init__(self, first: Source, second: Source) -> None:
        self._merge = merge(first, second)

    def lifespan(self) -> Merge[object]:
        return self._merge

    async def receive(self) -> tuple[object, ...]:
        async for item in self._merge:
            return (item,)
        return ()

    async def close(self) -> None:
        await self._merge.close()

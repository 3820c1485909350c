"""Fan-out of the reference, for asyncio and trio."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import quiesce
from quiesce_reference.aio import first_success, map_concurrent

Function = Callable[[int], Awaitable[object]]


@quiesce.adapter(
    "fan_out",
    world=("asyncio", "trio"),
    packages=["quiesce_reference"],
    requires=["quiesce_reference", "anyio"],
    scope="anyio",
    name="reference.map_concurrent",
    dialect={"errors": "first", "on_failure": "cancel_rest"},
)
class MapConcurrent:
    """``map_concurrent`` and ``first_success``."""

    async def map_concurrent(
        self, function: Function, items: Sequence[int], limit: int
    ) -> list[object]:
        return await map_concurrent(function, items, limit=limit)

    async def first_success(self, attempt: Function, items: Sequence[int]) -> object:
        return await first_success(*(partial(attempt, item) for item in items))

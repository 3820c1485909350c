"""Fan-out as programs build it from asyncio: ``gather``, and a ``TaskGroup`` with a semaphore."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import quiesce

Function = Callable[[int], Coroutine[object, object, object]]


@quiesce.adapter(
    "fan_out",
    world="asyncio",
    name="asyncio.gather",
    lacks={"limit", "first_success", "exit"},
    # Documentation of gather: the first exception "is immediately propagated"; other awaitables
    # "won't be cancelled and will continue to run".
    dialect={"errors": "first", "on_failure": "continue"},
)
class Gather:
    """``gather`` as it is."""

    async def map_concurrent(
        self, function: Function, items: Sequence[int], limit: int
    ) -> list[object]:
        del limit  # it has none
        return await asyncio.gather(*(function(item) for item in items))


@quiesce.adapter(
    "fan_out",
    world="asyncio",
    name="asyncio.TaskGroup",
    lacks={"first_success", "exit"},
    # Documentation of TaskGroup: the remaining tasks are cancelled, and all exceptions are
    # combined in a group.
    dialect={"errors": "all", "on_failure": "cancel_rest"},
)
class GroupOfTasks:
    """A recipe: a task for each input, all in one group, and a semaphore as the limit."""

    async def map_concurrent(
        self, function: Function, items: Sequence[int], limit: int
    ) -> list[object]:
        semaphore = asyncio.Semaphore(limit)

        async def limited(item: int) -> object:
            async with semaphore:
                return await function(item)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(limited(item)) for item in items]
        return [task.result() for task in tasks]

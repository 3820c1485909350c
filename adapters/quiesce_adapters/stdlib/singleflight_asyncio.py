"""A singleflight that programs build from asyncio alone: a shared task."""

import asyncio
from collections.abc import Callable, Coroutine

import quiesce

Work = Callable[[], Coroutine[object, object, object]]


@quiesce.adapter(
    "singleflight",
    world="asyncio",
    name="asyncio.shared_task",
    lacks={"shared", "future", "forget", "reentrance_error"},
    # The work runs in a task of its own, and awaiting a task hands on the cancellation
    # of whoever awaits it (asyncio's documentation, "Task Cancellation").
    dialect={"sf_cancel": "detached", "sf_last_cancel": "cancels", "remembers": "nothing"},
)
class SharedTask:
    """Whoever comes first makes a task, and everybody awaits that one task."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[object]] = {}

    async def do(self, key: str, work: Work) -> object:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda _: self._tasks.pop(key))
        return await task

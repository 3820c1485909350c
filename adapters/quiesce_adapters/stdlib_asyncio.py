"""Recipes that programs build from asyncio alone: a shared task, and a lock with a flag."""

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


@quiesce.adapter(
    "once",
    world="asyncio",
    name="asyncio.lock",
    lacks={"own_function", "reentrance_error", "release"},
    # The flag is set by success only; a cancelled or failed caller leaves the lock to the next.
    dialect={"once_error": "retry", "once_cancel": "retry"},
)
class LockAndFlag:
    """The work runs under a lock, unless a flag says that it is done."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = asyncio.Lock()
        self._done = False
        self._value: object = None

    async def call(self) -> object:
        async with self._lock:
            if not self._done:
                self._value = await self._work()
                self._done = True
        return self._value

"""Gates of the asyncio world, and what a suspended task waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from quiesce.worlds.asyncio.naming import frames_of
from quiesce.worlds.virtual_time import seconds
from quiesce.worlds.watchdog import place

if TYPE_CHECKING:
    import asyncio

    from quiesce.worlds.asyncio.jobs import JobPool
    from quiesce.worlds.asyncio.loop import VirtualLoop

__all__ = ["AsyncioGate", "seconds", "waits_for"]


@final
class AsyncioGate:
    """A place where tasks and executor jobs wait until the hub opens it."""

    def __init__(self, name: str, loop: VirtualLoop, pool: JobPool) -> None:
        self.name = name
        self._loop = loop
        self._pool = pool
        self._is_open = False
        self._payload: object = None
        self._waiters: list[asyncio.Future[None]] = []  # one each: a cancellation ends its own

    async def wait(self) -> Any:
        """Wait in a task until the gate is open, and return its payload."""
        if not self._is_open:
            future = self._loop.create_future()
            self._waiters.append(future)
            try:
                await future
            finally:
                self._waiters.remove(future)
        return self._payload

    def wait_in_job(self) -> Any:
        """Wait in an executor job, that is, in a plain function."""
        if not self._is_open:
            job = self._pool.current
            if job is None:
                raise RuntimeError("wait_in_job() is for executor jobs; a task awaits wait()")
            future = self._loop.create_future()
            self._waiters.append(future)
            try:
                job.wait(future, f"gate {self.name}")
            finally:
                self._waiters.remove(future)
        return self._payload

    def open(self, payload: object = None) -> None:
        """Let the waiters go on when the world next runs; a second time changes nothing."""
        if self._is_open:
            return
        self._is_open, self._payload = True, payload
        for future in self._waiters:
            if not future.done():
                future.set_result(None)


def waits_for(task: asyncio.Task[Any], loop: VirtualLoop) -> str:
    """What a task waits for: a gate, a timer, a job, or the place of its innermost await."""
    future = getattr(task, "_fut_waiter", None)
    if future is None or future.done():
        return "nothing: it is ready to run"
    frame = next(reversed([*frames_of(task)]), None)
    if frame is not None and frame.f_code is AsyncioGate.wait.__code__:
        return f"gate {frame.f_locals['self'].name}"
    for due, handle in loop.timers():
        if handle._args and handle._args[0] is future:
            return f"timer at {seconds(due)}"
    for job in loop.jobs:
        if job.result is future:
            return f"executor job {job.name}"
    return "something without a Python frame" if frame is None else place(frame)

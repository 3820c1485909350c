"""Executor jobs as greenlets on the hub's thread: ``run_in_executor`` and ``to_thread``.

A job may run, sleep in virtual time and wait for a gate. It can't wait for another
thread, because there is none: code that needs that belongs in the thread world.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any, final

import attrs
from greenlet import (
    GreenletExit,
    getcurrent,
    greenlet,
)

from quiesce.worlds.asyncio.naming import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.asyncio.loop import VirtualLoop

__all__ = ["Job", "JobPool"]


@final
@attrs.define(eq=False)
class Job:
    """One function on its way through the executor."""

    pool: JobPool
    loop: VirtualLoop
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    result: asyncio.Future[Any]
    waits_for: str = ""
    fiber: greenlet | None = None  # None before the start and after the end

    @property
    def name(self) -> str:
        """The user's function."""
        return name_of(self.function, self.arguments)

    def resume(self) -> None:
        """Go on until the job ends or waits; called by the loop."""
        if self not in self.loop.jobs:  # it was killed before its start
            return
        if self.fiber is None:
            idle = self.pool.idle
            self.fiber = idle.pop() if idle else greenlet(self.pool.serve)
        self._switch(self.fiber.switch, self)

    def kill(self) -> bool:
        """Unwind the job, and return whether it has ended."""
        fiber = self.fiber
        if fiber is not None:
            self._switch(fiber.throw, GreenletExit)
            # A job that swallows the exit and returns has ended too: its greenlet is idle.
            if not fiber.dead and fiber not in self.pool.idle:
                return False
        self.fiber = None
        self.loop.jobs.pop(self, None)
        return True

    def _switch(self, into: Callable[[Any], object], message: object) -> None:
        pool, outer, fiber = self.pool, self.pool.current, self.fiber
        assert fiber is not None, "a job has a greenlet while it runs"
        # Whoever resumes a job gets control back, be it the hub or a thread of its own.
        fiber.parent = getcurrent()
        # The running loop is kept per real thread: a job must not find one, as in a thread.
        asyncio._set_running_loop(None)
        pool.current = self
        try:
            into(message)
        finally:
            pool.current = outer
            asyncio._set_running_loop(self.loop)

    def run(self) -> None:
        """Call the function in a context of its own and hand the outcome to the loop."""
        try:
            value = Context().run(self.function, *self.arguments)
        except GreenletExit:
            raise  # the world closes
        except BaseException as error:
            self._end(self.result.set_exception, error)
        else:
            self._end(self.result.set_result, value)

    def _end(self, setter: Callable[[Any], None], outcome: object) -> None:
        self.loop.jobs.pop(self, None)
        # One more turn of the loop, as from a real thread; the waiting task may be gone by then.
        self.loop.call_soon(self._deliver, setter, outcome)

    def _deliver(self, setter: Callable[[Any], None], outcome: object) -> None:
        if not self.result.done():
            setter(outcome)

    def wait(self, future: asyncio.Future[Any], waits_for: str) -> Any:
        """Give control back until ``future`` is done; called by the job itself."""
        future.add_done_callback(self._wake)
        self.waits_for = waits_for
        getcurrent().parent.switch()
        self.waits_for = ""
        return future.result()

    def _wake(self, _: asyncio.Future[Any]) -> None:
        if self.fiber is not None:
            self.resume()


@final
class JobPool:
    """Greenlets that wait for jobs; kept from world to world."""

    def __init__(self) -> None:
        self.idle: list[greenlet] = []
        self.current: Job | None = None

    def serve(self, job: Job) -> None:
        """Run one job after another: the body of a pooled greenlet."""
        while True:
            job.run()
            job.fiber = None
            own = getcurrent()
            self.idle.append(own)
            job = own.parent.switch()

    def shut(self) -> None:
        """End the idle greenlets."""
        while self.idle:
            fiber = self.idle.pop()
            fiber.parent = getcurrent()
            fiber.throw(GreenletExit)

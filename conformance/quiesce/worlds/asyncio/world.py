"""One run of the asyncio world: the hub takes handles from a virtual-time loop.

A scheduling step is one executed handle, which is finer than a turn of the loop and still
legal: the hub is one more callback at that place of the queue.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from asyncio.tasks import _enter_task, _leave_task
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, final

from quiesce.errors import HangError, HarnessError, SpinError
from quiesce.worlds.asyncio.callers import Caller, ScopeKind
from quiesce.worlds.asyncio.closing import abandon
from quiesce.worlds.asyncio.gates import AsyncioGate, waits_for
from quiesce.worlds.asyncio.loop import NumberedTask, VirtualLoop
from quiesce.worlds.asyncio.naming import (
    arguments_if_not_begun,
    error_text,
    name_of,
    pause_of,
    task_name,
    task_of,
)
from quiesce.worlds.closing import make_immortal
from quiesce.worlds.interrupts import hear_interrupts, ignore_interrupts, told
from quiesce.worlds.virtual_time import Place, VirtualClock, seconds, show, showing
from quiesce.worlds.watchdog import Watch, watchdog
from quiesce.worlds.world import START, Blocked, Call, CancelKind, Operation, Status

if TYPE_CHECKING:
    from quiesce.worlds.asyncio.jobs import JobPool

__all__ = ["AsyncioWorld"]

#: How often close() asks the tasks to end before it gives up.
CLOSE_ROUNDS: Final = 10
#: Handles that every living task may take, on top of the spin limit.
STEPS_PER_TASK: Final = 200
#: Handles looked at to find which task spins.
SPIN_SAMPLE: Final = 100
#: Two timers that are no further apart than this, in nanoseconds, count as one instant
#: when spinning is judged: code that asks for a little more time again and again.
NEXT_INSTANT_NS: Final = 1_000


@final
class AsyncioWorld:
    """See ``quiesce.worlds.world.World``."""

    name = "asyncio"

    def __init__(
        self,
        *,
        pool: JobPool,
        places: tuple[Place, ...],
        scope: ScopeKind,
        spin_limit: int,
        hang_after_s: float,
    ) -> None:
        self.is_closed = False
        self._clock = VirtualClock(START, self._sleep)
        self._pool = pool
        self._places = places
        self._scope: ScopeKind = scope
        self._spin_limit = spin_limit
        self._spun_at: int | None = None  # the latest instant that did not come to rest
        self._loop = VirtualLoop(self._clock, pool)
        self._hooks = (self._loop._asyncgen_firstiter_hook, self._loop._asyncgen_finalizer_hook)  # type: ignore[attr-defined]  # what BaseEventLoop.run_forever installs
        self._callers: list[Caller] = []
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._unstarted: list[Caller] = []
        self._closing = False
        self._broken: BaseException | None = None  # the first harness error; it stays
        self._steps = 0
        self._handle: asyncio.Handle | None = None  # at work
        self._outside: tuple[Any, ...] = ()  # what _leave() puts back
        # Finalizers run in whichever task happens to allocate: not while the world lives.
        self._collected = gc.isenabled()
        gc.disable()
        self._watch = Watch(hang_after_s, lambda: self._steps, self._at_work, self._break)
        self._watching = watchdog(self._watch)
        self._watching.__enter__()
        self._hears = hear_interrupts()

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""
        return self._clock.now

    # Calls and gates.

    def spawn(
        self, name: str, operation: Operation, *, cancel: CancelKind = CancelKind.SCOPE
    ) -> Call:
        """Start one concurrent caller. A result that can't be awaited is returned as it is."""
        self._require_open()
        call = Call(len(self._callers), name)
        caller = Caller(call, operation, cancel, self._scope, self._note)
        # Not loop.create_task(): a task factory of the subject must not touch our tasks.
        caller.task = NumberedTask(caller.attend(), self._loop, name=name)
        self._calls[caller.task] = call
        self._callers.append(caller)
        self._unstarted.append(caller)
        return call

    def cancel(self, call: Call) -> None:
        """Request a call's cancellation; a call that has ended stays as it is."""
        if call.number >= len(self._callers) or self._callers[call.number].call is not call:
            raise HarnessError(f"call {call.number} ({call.name}) is not a call of this world")
        if call.status is not Status.BLOCKED:
            return
        self._enter()
        try:
            self._callers[call.number].cancel()
        finally:
            self._leave()

    def gate(self, name: str) -> AsyncioGate:
        """Make a gate."""
        return AsyncioGate(name, self._loop, self._pool)

    def _note(self, call: Call, status: Status, value: object, error: BaseException | None) -> None:
        if self._closing:  # what close() does to a call is not the call's outcome
            return
        call.status, call.value, call.error = status, value, error
        call.ended_at = self._clock.now

    # Running.

    def settle(self) -> None:
        """Run to quiescence at a frozen clock."""
        self._enter()
        try:
            self._settle()
        finally:
            self._leave()

    def step(self, count: int) -> None:
        """Execute ``count`` handles, or fewer if the world becomes quiescent."""
        self._enter()
        try:
            self._run(count)
        finally:
            self._leave()

    def is_quiescent(self) -> bool:
        """Whether no handle is ready and no timer is due."""
        return self._loop.peek() is None

    def next_due(self) -> int | None:
        """The earliest instant at which a timer fires, in nanoseconds."""
        return self._loop.next_due()

    def advance_to(self, at: int) -> None:
        """Move the clock to ``at``; what is ready runs first, at the old time.

        Raises:
          ValueError: ``at`` lies in the past.
        """
        clock = self._clock
        if at < clock.now:
            raise ValueError(f"can't go back from {seconds(clock.now)} to {seconds(at)}")
        self._enter()
        try:
            self._settle_on_the_way(at)
            hops = 0
            while (due := self._loop.next_due()) is not None and due <= at:
                hops = hops + 1 if due - clock.now <= NEXT_INSTANT_NS else 0
                clock.now = due
                self._settle_on_the_way(at)
                if hops > self._spin_limit:
                    raise SpinError(
                        f"{self._at_work()} sets one timer after another, "
                        f"{NEXT_INSTANT_NS} ns apart or less, more than {hops} times up to "
                        f"{seconds(due)}: it will hardly ever arrive at {seconds(at)}."
                    )
            clock.now = at
        finally:
            self._leave()

    def _settle_on_the_way(self, at: int) -> None:
        """Settle at an instant that the clock is to leave anyway.

        Code that polls until the clock shows more than its due time spins at the due time
        itself, but no longer than a real clock stands still: 1 ns later it must be done.
        """
        if self._spun_at != self._clock.now:
            try:
                self._settle()
            except SpinError:
                if self._clock.now >= at:
                    raise
            else:
                return
        if self._clock.now < at:
            self._clock.now += 1
        self._settle()

    def _settle(self) -> None:
        if self._run(self._spin_limit):
            return
        living = len(asyncio.all_tasks(self._loop))
        if self._run(STEPS_PER_TASK * living):
            return
        seen: Counter[str] = Counter()
        for _ in range(SPIN_SAMPLE):
            handle = self._loop.peek()
            if handle is None:
                return
            task = task_of(handle._callback)  # type: ignore[attr-defined]  # not in typeshed
            name = self._describe(handle)  # now: a callback that cancels itself forgets it
            self._run(1)
            seen[name if task is None else f"{name} at {pause_of(task)}"] += 1
        worst, times = seen.most_common(1)[0]
        self._spun_at = self._clock.now
        raise SpinError(
            f"{worst} keeps running at a frozen clock: {times} of the last {SPIN_SAMPLE} steps, "
            f"after {self._spin_limit + STEPS_PER_TASK * living} at {seconds(self.now)} did not "
            "lead to rest. It polls, or waits for a time that rounds to now."
        )

    def _run(self, count: int) -> bool:
        """Execute up to ``count`` handles, and return whether the world came to rest before."""
        take = self._loop.take
        for _ in range(count):
            handle = take()
            if handle is None:
                return True
            self._handle = handle
            self._steps += 1
            try:
                handle._run()
            except (KeyboardInterrupt, SystemExit) as error:
                # A task keeps its error for whoever awaits it; it is no reason to stop the hub.
                if task_of(handle._callback) is None:  # type: ignore[attr-defined]  # not in typeshed
                    self._loop.errors.append(f"{self._at_work()} raised {error_text(error)}")
            if self._broken is not None:
                raise self._broken
        return False

    def _enter(self) -> None:
        """Give the process the world's state: running loop, clocks, hooks."""
        self._require_open()
        if self._loop.running:
            raise HarnessError("code in an asyncio world called its hub; only the test may")
        if self._broken is not None:
            raise self._broken
        loop = asyncio._get_running_loop()
        task = None if loop is None else asyncio.current_task(loop)
        if loop is not None and task is not None:
            _leave_task(loop, task)
        self._outside = (loop, task, sys.get_asyncgen_hooks(), threading.Thread.start, showing())
        asyncio._set_running_loop(self._loop)
        sys.set_asyncgen_hooks(*self._hooks)
        threading.Thread.start = _refuse_to_start  # type: ignore[assignment,method-assign]  # until _leave()
        show(self._clock, self._places)
        _inside.append(self)
        told.append(self._note_interrupt)
        self._loop.running = self._watch.running = True

    def _leave(self) -> None:
        """Give the process back what it had."""
        self._loop.running = self._watch.running = False
        told.pop()
        _inside.pop()
        loop, task, hooks, start, clock = self._outside
        show(None, self._places)
        if clock is not None:
            show(clock)
        threading.Thread.start = start  # type: ignore[method-assign]  # what _enter() found
        sys.set_asyncgen_hooks(*hooks)
        asyncio._set_running_loop(loop)
        if task is not None:
            _enter_task(loop, task)
        self._outside = ()
        self._handle = None
        if self._unstarted:
            self._look_after_unstarted()

    def _look_after_unstarted(self) -> None:
        waiting = []
        for caller in self._unstarted:
            if caller.started:
                continue
            if caller.task.done():
                caller.ended_unseen()
            else:
                waiting.append(caller)
        self._unstarted = waiting

    # What must not happen in a world.

    def _require_open(self) -> None:
        if self.is_closed:
            raise HarnessError("this asyncio world is closed; open another one")

    def _break(self, error: BaseException) -> None:
        if self._broken is None:
            self._broken = error

    def _note_interrupt(self) -> None:
        self._break(KeyboardInterrupt())

    def refuse_thread(self, thread: threading.Thread) -> HarnessError:
        """The error for starting a real thread in this world."""
        error = HarnessError(
            f"{self._at_work()} started the real thread {thread.name!r}, which no asyncio "
            "world controls. asyncio.to_thread() and loop.run_in_executor() are run by this "
            "world itself; anything else that starts threads belongs in the thread world."
        )
        self._break(error)
        return error

    def _sleep(self, delay: float) -> None:
        """``time.sleep``: virtual in an executor job, a blocked loop anywhere else."""
        if (job := self._pool.current) is None:
            error = HangError(
                f"{self._at_work()} called time.sleep({delay!r}) on the event loop, which "
                "blocks every task; use asyncio.sleep(), or asyncio.to_thread() around it."
            )
            self._break(error)
            raise error
        future = self._loop.create_future()
        timer = self._loop.call_later(max(delay, 0), _end_sleep, future)
        try:
            job.wait(future, "time.sleep()")
        finally:
            timer.cancel()

    def _at_work(self) -> str:
        if (job := self._pool.current) is not None:
            return f"executor job {job.name}"
        return "the world" if self._handle is None else self._describe(self._handle)

    def _describe(self, handle: asyncio.Handle) -> str:
        callback: Any = handle._callback  # type: ignore[attr-defined]  # not in typeshed
        if (task := task_of(callback)) is not None:
            return self._label(task)
        return f"callback {name_of(callback, handle._args or ())}"

    def _label(self, task: asyncio.Task[Any]) -> str:
        call = self._calls.get(task)
        return f"task {task_name(task)}" if call is None else f"call {call.number} ({call.name})"

    # Looking.

    def blocked(self) -> tuple[Blocked, ...]:
        """What each unfinished call, then each other task, then each job waits for."""
        found = [
            Blocked(
                f"call {caller.call.number} ({caller.call.name})",
                waits_for(caller.task, self._loop),
            )
            for caller in self._callers
            if not caller.task.done()
        ]
        found += [
            Blocked(f"task {task_name(task)}", waits_for(task, self._loop))
            for task in self._other_tasks()
        ]
        found += [
            Blocked(f"executor job {job.name}", job.waits_for or "nothing: it is ready to run")
            for job in self._loop.jobs
        ]
        return tuple(found)

    def census(self) -> tuple[str, ...]:
        """Names of the tasks, timers, jobs and generators alive, and of unretrieved errors."""
        loop = self._loop
        found = [f"task {task_name(task)}" for task in self._other_tasks()]
        found += [f"executor job {job.name}" for job in loop.jobs]
        found += [f"async generator {agen.__qualname__}" for agen in loop.open_generators()]
        found += [
            # An expired timer whose world has not run yet is still a timer.
            f"timer {name_of(handle._callback, handle._args or ())} at {seconds(due)}"  # type: ignore[attr-defined]  # not in typeshed
            for due, handle in loop.timers()
            if handle._callback is not _end_sleep  # type: ignore[attr-defined]  # not in typeshed
        ]
        found += [f"error: {text}" for text in (*loop.errors, *loop.unretrieved())]
        return tuple(sorted(found))

    def _other_tasks(self) -> list[asyncio.Task[Any]]:
        """Pending tasks that are no calls, in birth order."""
        births = self._loop.births
        return sorted(
            asyncio.all_tasks(self._loop) - self._calls.keys(),
            key=lambda task: (births.get(task, sys.maxsize), task_name(task)),
        )

    # The end.

    def close(self) -> tuple[str, ...]:
        """End the world and return the names of what would not end."""
        if self.is_closed:
            return ()
        self._closing = True
        self._broken = None
        try:
            return () if self._is_spent() else self._wind_up()
        finally:
            self._loop.drop_everything()
            self._loop.close()
            self.is_closed = True
            self._watching.__exit__(None, None, None)
            if self._hears:
                ignore_interrupts()
            if self._collected:
                gc.enable()

    def _is_spent(self) -> bool:
        loop = self._loop
        return (
            not loop.jobs
            and loop.peek() is None
            and not loop.open_generators()
            and not asyncio.all_tasks(loop)
        )

    def _wind_up(self) -> tuple[str, ...]:
        self._enter()
        try:
            for task in self._pending_tasks():
                # A cancelled task that never began drops what it would have awaited, and that
                # complains when it dies, in whatever code is at work by then.
                make_immortal(arguments_if_not_begun(task))
            seen: object = None
            for _ in range(CLOSE_ROUNDS):
                self._cancel_everything()
                try:
                    self._settle()
                except (SpinError, HarnessError):
                    break
                left = self._living()
                if not left or left == seen:
                    break
                seen = left
            names = self._living()
            if names or self._loop.peek() is not None:
                abandon(self._loop, self._pending_tasks(), tuple(self._loop.jobs))
            return names
        finally:
            self._leave()

    def _pending_tasks(self) -> list[asyncio.Task[Any]]:
        calls = [caller.task for caller in self._callers if not caller.task.done()]
        return calls + self._other_tasks()

    def _living(self) -> tuple[str, ...]:
        found = [self._label(task) for task in self._pending_tasks()]
        found += [f"executor job {job.name}" for job in self._loop.jobs]
        found += [f"async generator {agen.__qualname__}" for agen in self._loop.open_generators()]
        return tuple(sorted(found))

    def _cancel_everything(self) -> None:
        tasks = self._pending_tasks()
        for task in tasks:
            task.cancel()
        for job in tuple(self._loop.jobs):
            job.kill()
            job.result.cancel()
        if not tasks and self._loop.open_generators():
            self._loop.create_task(self._loop.shutdown_asyncgens(), name="shutdown_asyncgens")


def _end_sleep(future: asyncio.Future[None]) -> None:
    future.set_result(None)


# Worlds that have control, the innermost last.
_inside: list[AsyncioWorld] = []


def _refuse_to_start(thread: threading.Thread) -> None:
    raise _inside[-1].refuse_thread(thread)

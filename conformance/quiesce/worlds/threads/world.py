"""One run of the thread world, as the hub sees it."""

from __future__ import annotations

import gc
import threading
from _thread import _count as real_thread_count
from typing import TYPE_CHECKING, Any, final

import attrs
from greenlet import GreenletExit

from quiesce.errors import HarnessError
from quiesce.worlds.world import CURRENT_CALL, Blocked, Call, CancelKind, Operation, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.threads.core import Core
    from quiesce.worlds.threads.tasks import Task

__all__ = ["ThreadGate", "ThreadWorld"]


@final
@attrs.define(eq=False)
class ThreadGate:
    """A place where a user function waits until the hub opens it."""

    name: str
    _core: Core
    _is_open: bool = False
    _payload: object = None
    _waiters: list[Task] = attrs.Factory(list)

    def wait(self) -> Any:
        """Wait for the gate to open, and return what it was opened with.

        Raises:
          HarnessError: the hub itself would wait.
        """
        core = self._core
        if core.ready:
            core.point()
        if not self._is_open:
            if core.current is not None:
                self._waiters.append(core.current)
            core.block(self)
        return self._payload

    def open(self, payload: object = None) -> None:
        """Open the gate; whoever waits becomes ready. A second time changes nothing."""
        if self._is_open:
            return
        self._is_open = True
        self._payload = payload
        for task in self._waiters:
            self._core.wake(task)
        self._waiters.clear()

    def forget(self, task: Task, /) -> None:
        """Stop waiting."""
        if task in self._waiters:
            self._waiters.remove(task)

    def describe(self, _task: Task, /) -> str:
        """Name the gate."""
        return f"gate {self.name}"


@final
class ThreadWorld:
    """One run: callers are threads, and so is what the code under test starts.

    Time does not pass while a task can run. Preemption lies at the factory's points.
    """

    name = "threads"

    def __init__(
        self,
        core: Core,
        enter: Callable[[], None],
        leave: Callable[[], None],
        closed: Callable[[], None],
    ) -> None:
        self._core = core
        self._run = core.run
        self._enter = enter
        self._leave = leave
        self._closed = closed
        self._calls = 0
        self._collecting = gc.isenabled()
        gc.disable()  # else finalizers run in whichever task happens to allocate

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""
        return self._core.now

    def spawn(
        self,
        name: str,
        operation: Operation,
        *,
        cancel: CancelKind = CancelKind.SCOPE,  # noqa: ARG002 - see cancel()
    ) -> Call:
        """Start one concurrent caller; it runs when the world next runs.

        The caller is a bare task, not a ``threading.Thread``; code that asks for the current
        thread gets a dummy, as on any thread that ``threading`` did not start.
        """
        self._check_open()
        core = self._core
        number = self._calls
        self._calls = number + 1
        call = Call(number, name)

        def body() -> None:
            CURRENT_CALL.set(number)
            try:
                call.value = operation()
                call.status = Status.RETURNED
            except BaseException as error:
                if core.killing and isinstance(error, GreenletExit):
                    return
                call.error = error
                call.status = Status.RAISED
            call.ended_at = core.now

        core.spawn(body, lambda: f"call {number} ({name})", is_call=True)
        return call

    def settle(self) -> None:
        """Run to quiescence at a frozen clock.

        Raises:
          SpinError: tasks keep running although no time passes.
          HangError: a task blocks the real OS thread.
          HarnessError: an unmanaged thread is at work.
        """
        self._go(0)

    def step(self, count: int) -> None:
        """Let tasks pass ``count`` points, blocking and ending included."""
        if count > 0:
            self._go(count)

    def _go(self, steps: int) -> None:
        self._check_open()
        core = self._core
        if not core.is_quiescent():
            real_threads = real_thread_count()
            self._enter()
            try:
                core.go(steps)
            finally:
                self._leave()
            if real_thread_count() > real_threads and core.fault is None:
                core.fault = _unmanaged()
        if core.fault is not None:
            error, core.fault = core.fault, None
            raise error

    def is_quiescent(self) -> bool:
        """Whether nothing is ready to run."""
        return self._core.is_quiescent()

    def next_due(self) -> int | None:
        """The earliest instant, in nanoseconds, at which a wait times out. None without."""
        return self._core.timers.next_due()

    def advance_to(self, at: int) -> None:
        """Settle, then move the clock to ``at``, firing and settling each due timer in order.

        Timers of one instant fire together, in the order in which they were set.
        """
        core = self._core
        if at < core.now:
            raise ValueError(f"the clock can't go back, from {core.now} to {at}")
        self.settle()
        while (due := core.timers.next_due()) is not None and due <= at:
            core.fire(due)
            self.settle()
        core.now = at

    def cancel(self, call: Call) -> None:
        """Refuse: a thread can't be cancelled from outside.

        Raises:
          HarnessError: always.
        """
        raise HarnessError(
            f"call {call.number} ({call.name}) can't be cancelled: the thread world has no "
            "cancellation. Check ThreadWorldFactory.cancel_kinds first"
        )

    def gate(self, name: str) -> ThreadGate:
        """Make a gate."""
        return ThreadGate(name, self._core)

    def blocked(self) -> tuple[Blocked, ...]:
        """What each unfinished task waits for, in birth order."""
        return tuple(
            Blocked(task.name(), "its turn" if task.waits_for is None else _describe(task))
            for task in self._core.tasks.values()
        )

    def census(self) -> tuple[str, ...]:
        """Threads that are alive, and threads that died of an error, sorted."""
        alive = (task.name() for task in self._core.tasks.values() if not task.is_call)
        return tuple(sorted((*alive, *self._core.deaths)))

    def close(self) -> tuple[str, ...]:
        """Unwind every task and return the names of those that swallowed GreenletExit.

        They stay suspended for ever. Calls that had not ended stay BLOCKED.

        Raises:
          HarnessError: an unmanaged thread touched the world since it last ran.
        """
        core = self._core
        if self._run != core.run or self._closed is _nothing:
            return ()
        abandoned: tuple[str, ...] = ()
        unreported, core.fault = core.fault, None
        if core.tasks:
            self._enter()
            try:
                abandoned = tuple(task.name() for task in core.unwind())
            finally:
                self._leave()
        self._closed()
        self._closed = _nothing
        if self._collecting:
            gc.enable()
        error = unreported or core.fault  # the latter is Ctrl-C while tasks were unwound
        if error is not None:
            raise error
        return abandoned

    def _check_open(self) -> None:
        if self._run != self._core.run or self._closed is _nothing:
            raise HarnessError("this world is closed: open another one from its factory")


def _unmanaged() -> HarnessError:
    names = ", ".join(thread.name for thread in threading.enumerate()[-3:])
    return HarnessError(
        "the code under test started a real OS thread, which no schedule can control (the last "
        f"ones alive: {names}). Name the package that did it among the packages to load, or use "
        "the world os-threads"
    )


def _nothing() -> None:
    pass


def _describe(task: Task) -> str:
    assert task.waits_for is not None
    text = task.waits_for.describe(task)
    if task.deadline is not None and not text.startswith("timer"):
        text += f", until {task.deadline / 1e9:.9g} s"
    return text

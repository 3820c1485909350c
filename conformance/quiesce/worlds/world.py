"""What every world offers: one small interface to a deterministic runtime.

A *world* runs tasks on one OS thread through greenlets. Its hub is the test:
plain synchronous code. The hub hands control over, the world runs until it is
*quiescent* (every task blocked on a gate, on the object under test or on the
virtual clock), and control comes back. Time is virtual: integer nanoseconds,
starting at ``START``, and it moves only when the hub says so.

Worlds differ in how callers and user functions look. In ``threads`` an
operation is a plain function; in ``asyncio`` and ``trio`` it is a function that
returns a coroutine. Nothing else here depends on that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum, unique
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

if TYPE_CHECKING:
    from quiesce.schedulers.scheduler import Scheduler

__all__ = [
    "CURRENT_CALL",
    "START",
    "Blocked",
    "Call",
    "CancelKind",
    "Gate",
    "Operation",
    "Status",
    "World",
    "WorldFactory",
]

#: Virtual time at which every world begins, in nanoseconds (1,000 s). Away from 0, which
#: some libraries take for "unset", and small enough that a float second still resolves
#: a ten-thousandth of a nanosecond.
START: Final = 1_000_000_000_000

#: Number of the call on whose behalf the running task works; inherited by the tasks it
#: starts where the runtime inherits contexts. None outside any call.
CURRENT_CALL: ContextVar[int | None] = ContextVar("quiesce_current_call", default=None)

Operation = Callable[[], Any]


@unique
class Status(Enum):
    """Where a call stands. ``BLOCKED`` also covers "not started yet" and "running"."""

    BLOCKED = "blocked"
    RETURNED = "returned"
    RAISED = "raised"
    CANCELLED = "cancelled"


@unique
class CancelKind(Enum):
    """Which of a world's cancellations is meant: they are different rules."""

    NATIVE = "native"  # asyncio: Task.cancel(), one CancelledError at the next resume
    SCOPE = "scope"  # asyncio: a timeout or anyio scope; trio: a CancelScope


@attrs.define(eq=False)
class Call:
    """One concurrent caller of the object under test, written by the world."""

    number: int  # birth order within the world, from 0
    name: str
    status: Status = Status.BLOCKED
    value: object = None  # what it returned
    error: BaseException | None = None  # what it raised
    ended_at: int | None = None  # virtual time, nanoseconds
    cancel_requested: bool = False


@attrs.frozen
class Blocked:
    """A task that can't go on, for reports."""

    task: str
    waits_for: str  # "gate 3", "lock held by call 1 (do)", "timer at 1000.5 s"


class Gate(Protocol):
    """A place where a user function waits until the hub opens it."""

    def wait(self) -> Any:
        """Wait for the gate to open, and return what it was opened with.

        In async worlds this is a coroutine function. A cancellation that the world
        delivers while waiting is raised here.
        """

    def open(self, payload: object = None) -> None:
        """Open the gate from the hub; the waiter becomes ready to run.

        Opening a gate whose waiter was cancelled, or twice, changes nothing.
        """


class World(Protocol):
    """One run of one world. Everything here is called from the hub."""

    name: str

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""

    def spawn(
        self, name: str, operation: Operation, *, cancel: CancelKind = CancelKind.SCOPE
    ) -> Call:
        """Start one concurrent caller; it runs when the world next runs.

        Args:
          name: for reports, such as ``do('a')``.
          operation: function to run, or function that returns a coroutine.
          cancel: how this call can be cancelled later (see ``cancel``).

        While the operation runs, ``CURRENT_CALL`` holds the call's number. The call
        becomes RETURNED or RAISED when the operation ends, and CANCELLED when it ends by
        the very cancellation that ``cancel`` requested.
        """

    def settle(self) -> None:
        """Run to quiescence at a frozen clock.

        Raises:
          SpinError: tasks keep running although no time passes.
          HangError: a task blocks the real OS thread.
          HarnessError: something real is at work, such as an unmanaged thread.
        """

    def step(self, count: int) -> None:
        """Run ``count`` scheduling steps, or fewer if the world becomes quiescent."""

    def is_quiescent(self) -> bool:
        """Whether nothing is ready to run."""

    def next_due(self) -> int | None:
        """The earliest instant, in nanoseconds, at which a timer fires. None without timers."""

    def advance_to(self, at: int) -> None:
        """Move the clock to ``at`` nanoseconds, firing and settling each due timer in order.

        A positive delay shorter than the clock's resolution counts as 1 ns, so a task
        that asks for the rest of a float division does not spin.
        """

    def cancel(self, call: Call) -> None:
        """Request the call's cancellation, as its ``cancel`` kind says. Does not run anything.

        Raises:
          HarnessError: this world can't cancel (threads).
        """

    def gate(self, name: str) -> Gate:
        """Make a gate."""

    def blocked(self) -> tuple[Blocked, ...]:
        """What each unfinished task waits for, in birth order."""

    def census(self) -> tuple[str, ...]:
        """Names of everything alive that is not a call or the world's own, sorted.

        Tasks, threads, timers, executor jobs, and errors that nobody retrieved.
        """

    def close(self) -> tuple[str, ...]:
        """End the world, whatever it takes, and return the names of what had to be abandoned.

        Cancels or unwinds every task, settles until the census stops changing, then
        drops what is left. After it no state of the world remains in the process.
        """


class WorldFactory(Protocol):
    """Makes the worlds of one cell, and keeps what is costly between them."""

    name: str
    cancel_kinds: tuple[CancelKind, ...]  # empty where calls can't be cancelled
    is_async: bool

    def load(self, module: str, qualname: str) -> type:
        """The adapter class as code in this world sees it.

        In ``threads`` the module and the packages under test are imported again over the
        simulated standard library; elsewhere this is the ordinary class.
        """

    def open(self, scheduler: Scheduler | None = None) -> World:
        """Begin a run. At most one world of a factory is open at a time.

        Args:
          scheduler: chooses among runnable tasks, where the world has a choice. None
            means run-until-blocked.
        """

    def shut(self) -> None:
        """Give back everything the factory holds."""

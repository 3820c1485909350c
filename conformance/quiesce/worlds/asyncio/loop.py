"""An asyncio event loop whose clock is a number and whose turns are taken from outside.

The order is asyncio's own: callbacks in the order in which they were scheduled; a turn runs
what was ready at its beginning, then what has become due follows. Timers that are due at
the same instant fire in the order in which they were set: on a real clock, which never
stands still, they would have different times.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVarTuple, Unpack, final
from weakref import WeakKeyDictionary

from quiesce.errors import HarnessError
from quiesce.worlds.asyncio.jobs import Job, JobPool
from quiesce.worlds.asyncio.naming import error_text, name_of, task_name
from quiesce.worlds.virtual_time import NEVER, due_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Context
    from types import AsyncGeneratorType

    from quiesce.worlds.virtual_time import VirtualClock

__all__ = ["NumberedTask", "VirtualLoop"]

_Ts = TypeVarTuple("_Ts")


@final
class NumberedTask(asyncio.Task[Any]):
    """A task whose hash is its number in its world, not its address.

    Task groups and cancel scopes keep their tasks in sets and cancel them in the order of
    iteration, so that one history would not be like the next.
    """

    def __init__(self, coro: Any, loop: VirtualLoop, **options: Any) -> None:
        loop.numbered += 1
        self._number = loop.numbered  # before anything puts the task into a set
        super().__init__(coro, loop=loop, **options)

    def __hash__(self) -> int:
        return self._number


@final
class VirtualLoop(asyncio.BaseEventLoop):
    """One world's loop; the world takes ready handles from it and runs them."""

    def __init__(self, clock: VirtualClock, pool: JobPool) -> None:
        self.running = False  # asked for by the base class already
        super().__init__()
        # Debugging is for code under test to switch on; inherited from the process (-X dev),
        # it would keep a stack for every handle.
        self.set_debug(False)
        self.clock = clock
        #: When each living task was born, from 0. Holds no task alive.
        self.births: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        #: Tasks made so far, the callers' own included.
        self.numbered = 0
        #: Executor jobs that have not ended, in birth order.
        self.jobs: dict[Job, None] = {}
        #: What asyncio would have logged: errors that nobody retrieved.
        self.errors: list[str] = []
        self._pool = pool
        self._thread = threading.get_ident()
        self._born = 0
        self._queue: deque[asyncio.Handle] = deque()
        self._left_in_turn = 0  # never more than the length of the queue
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        self._fired_at = -1  # the last instant at which a timer fired

    # What the world calls.

    def take(self) -> asyncio.Handle | None:
        """Remove and return the handle to run next, or None at quiescence."""
        queue = self._queue
        while True:
            if not self._left_in_turn:
                if self._timers:
                    self._fire_due()
                self._left_in_turn = len(queue)
                if not self._left_in_turn:
                    return None
            self._left_in_turn -= 1
            handle = queue.popleft()
            if not handle._cancelled:
                return handle

    def peek(self) -> asyncio.Handle | None:
        """Return the handle to run next, and leave it there."""
        handle = self.take()
        if handle is not None:
            self._queue.appendleft(handle)
            self._left_in_turn += 1
        return handle

    def next_due(self) -> int | None:
        """The earliest nanosecond at which a timer fires."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        return timers[0][0] if timers and timers[0][0] != NEVER else None

    def timers(self) -> list[tuple[int, asyncio.TimerHandle]]:
        """The timers that are set, each with its due nanosecond, earliest first."""
        return [(due, handle) for due, _, handle in sorted(self._timers) if not handle.cancelled()]

    def open_generators(self) -> list[AsyncGeneratorType[Any, Any]]:
        """Asynchronous generators that have begun and not ended, by name."""
        agens: Iterable[AsyncGeneratorType[Any, Any]] = self._asyncgens  # type: ignore[attr-defined]  # not in typeshed
        alive = [agen for agen in agens if agen.ag_frame is not None]
        return sorted(alive, key=lambda agen: agen.__qualname__)

    def unretrieved(self) -> list[str]:
        """Errors of ended tasks that nobody has asked for yet."""
        return [
            _unretrieved(task, error)
            for task, _ in sorted(self.births.items(), key=lambda item: item[1])
            if task.done() and not task.cancelled() and task._log_traceback
            # The attribute, as asking by exception() would count as retrieving.
            if (error := task._exception) is not None
        ]

    def drop_everything(self) -> None:
        """Forget all handles and timers."""
        self._queue.clear()
        self._left_in_turn = 0
        self._timers.clear()

    def _fire_due(self) -> None:
        timers, now = self._timers, self.clock.now
        while timers and timers[0][0] <= now:
            handle = heapq.heappop(timers)[2]
            if not handle._cancelled:
                self._queue.append(handle)
                self._fired_at = now

    # What code under test calls.

    def time(self) -> float:
        """The virtual time in seconds."""
        return self.clock.now / 1e9

    def is_running(self) -> bool:
        """Whether the world has control."""
        return self.running

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Schedule a callback behind everything that is ready."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Schedule a callback; all "threads" that a world knows share this one."""
        if threading.get_ident() != self._thread:
            raise HarnessError(
                "the loop of an asyncio world was called from another real thread "
                f"({threading.current_thread().name!r}); a world controls one thread only. "
                "Code that needs threads of its own belongs in the thread world."
            )
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback ``delay`` seconds from now."""
        when = self.time() + delay
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        return self._set_timer(timer, in_future=delay > 0)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback at ``when`` seconds."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        # A caller that was woken now and asks for now once more means a remainder so small
        # that adding it changed nothing.
        again = self._fired_at == self.clock.now and due_ns(when) == self.clock.now
        return self._set_timer(timer, in_future=again or when > self.time())

    def _set_timer(self, timer: asyncio.TimerHandle, *, in_future: bool) -> asyncio.TimerHandle:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        due = due_ns(timer.when())
        if in_future and due <= self.clock.now:
            # Less than a nanosecond is what a float division leaves over. Firing at once
            # would let the caller ask again and again at a frozen clock.
            due = self.clock.now + 1
        self._timers_set += 1
        heapq.heappush(self._timers, (due, self._timers_set, timer))
        return timer

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Start a task. Unnamed ones are numbered from 1 in every world."""
        self._born += 1
        if options.get("name") is None:
            options["name"] = f"Task-{self._born}"
        if self.get_task_factory() is None:
            task: asyncio.Task[Any] = NumberedTask(coro, self, **options)
        else:
            task = super().create_task(coro, **options)
        self.births[task] = self._born
        return task

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002 - none of its threads may be used
        func: Callable[[Unpack[_Ts]], Any],
        *args: *_Ts,
    ) -> asyncio.Future[Any]:
        """Run a function as a greenlet, whichever the executor."""
        future = self.create_future()
        job = Job(self._pool, self, func, args, future)
        self.jobs[job] = None
        self.call_soon(job.resume)
        return future

    def run_forever(self) -> None:
        """Refuse: the hub runs this loop."""
        raise HarnessError("the loop of an asyncio world is run by its hub, not by run_forever()")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep for the census what asyncio would log."""
        task = context.get("task") or context.get("future")
        error = context.get("exception")
        if isinstance(task, asyncio.Task) and task.done() and error is not None:
            self.errors.append(_unretrieved(task, error))
            return
        subject = f" ({task_name(task)})" if isinstance(task, asyncio.Task) else ""
        cause = "" if error is None else f": {error_text(error)}"
        if (handle := context.get("handle")) is not None:
            message = f"exception in callback {name_of(handle._callback, handle._args or ())}"
        else:  # asyncio's text may end with an address
            message = str(context.get("message", "error")).partition(" <")[0]
        self.errors.append(f"{message}{subject}{cause}")

    def _write_to_self(self) -> None:
        """Nothing to wake: the loop never sleeps."""


def _unretrieved(task: asyncio.Task[Any], error: BaseException) -> str:
    return f"nobody retrieved {error_text(error)} of task {task_name(task)}"

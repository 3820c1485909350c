"""The simulated ``_thread``: locks, threads and thread-local data over a core.

The standard library's own ``threading``, ``queue`` and ``concurrent.futures`` run on it
unchanged. Its surface is that of CPython 3.11 to 3.14, the union of them.

A lock knows its owner for reports only. When it is released every waiter becomes ready,
and the one that runs first takes the others out again: that is exactly CPython, where a
newcomer may overtake, and no choice is wasted on a task that would only block again.
"""

from __future__ import annotations

import _thread as real
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from greenlet import GreenletExit

from quiesce.worlds.threads.locals import local_type_over
from quiesce.worlds.threads.stacks import notification
from quiesce.worlds.threads.tasks import Task, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quiesce.worlds.threads.core import Core

__all__ = ["thread_module"]

_TIMEOUT_MAX: Final[float] = real.TIMEOUT_MAX
_real_ident: Final = real.get_ident


def _wait_limit(blocking: bool, timeout: float) -> float | None:
    """Check a lock's arguments as CPython does: seconds to wait, None for ever, 0 not at all."""
    if not blocking:
        if timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return 0
    if timeout == -1:
        return None
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > _TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


class _Contended:
    """What the two kinds of lock share: an owner, and a queue of those who wait."""

    __slots__ = ("__weakref__", "_number", "_offered", "_owner", "_run", "_waiters")

    _core: Core

    def __init__(self) -> None:
        self._owner: Task | None = None
        self._waiters: list[Task] = []
        self._offered = False  # whether the waiters are ready to compete for the lock
        core = self._core
        self._run = core.run
        self._number = core.locks
        core.locks += 1

    def _take_or_wait(self, limit: float | None) -> bool:
        """Take a lock that somebody held a moment ago; ``limit`` as from ``_wait_limit``."""
        core = self._core
        task = core.current or core.main
        owner = self._owner
        if owner is not None and owner.run != core.run and owner is not core.main:
            self._waiters.clear()  # left over from an earlier run, whose tasks are gone
            self._offered = False
            self._owner = task
            return True
        if limit == 0:
            if core.current is not None:
                core.poll(core.current)
            return False
        deadline = None if limit is None else core.now + nanoseconds(limit)
        if core.current is not None:
            self._waiters.append(task)
        if not core.block(self, deadline):
            return False
        self._waiters.remove(task)
        if self._offered:
            self._take_back()
        self._owner = task
        return True

    def _take_back(self) -> None:
        """The lock is taken: those to whom it was offered have to go on waiting."""
        self._offered = False
        if self._waiters:
            _withdraw(self._waiters, self._core.queue)

    def _let_go(self) -> None:
        self._owner = None
        if self._waiters:
            self._offered = True
            self._core.offer(self._waiters)

    def forget(self, task: Task, /) -> None:
        """Stop waiting."""
        if task in self._waiters:
            self._waiters.remove(task)

    def describe(self, task: Task, /) -> str:
        """Name the lock and its owner."""
        owner = self._owner
        own = "" if self._run else "module's "
        name = f"{own}lock {self._number}"
        if owner is None:
            return f"{name}, free"
        if owner.at_end is not None and self._let_go in owner.at_end:
            return f"the end of {owner.name()}"
        if owner is task:  # a condition makes its waiters wait for a second acquire
            return notification(task) or f"{name}, which it holds itself"
        return f"{name} held by {owner.name()}{', which has ended' if owner.ended else ''}"


def _withdraw(tasks: list[Task], queue: list[Task]) -> None:
    """Remove tasks from a queue of ready ones, fast also for thousands."""
    at = queue.index(tasks[0]) if tasks[0] in queue else 0
    if queue[at : at + len(tasks)] == tasks:  # the usual case: they were added together
        del queue[at : at + len(tasks)]
    else:
        late = {task.number for task in tasks}
        queue[:] = [task for task in queue if task.number not in late]


@final
class ThreadHandle:
    """What 3.13 joins: the end of one thread."""

    _core: Core

    def __init__(self) -> None:
        self._task: Task | None = None
        self._ident = 0
        self._done = False
        self._waiters: list[Task] = []

    @property
    def ident(self) -> int:
        """The thread's identifier, 0 before the start."""
        return self._ident

    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return self._done

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread's end, at most ``timeout`` seconds."""
        core = self._core
        if core.ready:
            core.point()
        if self._done:
            return
        if self._task is None:
            raise RuntimeError("thread not started")
        if self._task is core.current:
            raise RuntimeError("Cannot join current thread")
        if timeout is not None and timeout <= 0:
            if core.current is not None:
                core.poll(core.current)
            return
        if core.current is not None:
            self._waiters.append(core.current)
        core.block(self, None if timeout is None else core.now + nanoseconds(timeout))

    def _set_done(self) -> None:
        self._done = True
        for task in self._waiters:
            self._core.wake(task)
        self._waiters.clear()

    def forget(self, task: Task, /) -> None:
        """Stop waiting."""
        if task in self._waiters:
            self._waiters.remove(task)

    def describe(self, _task: Task, /) -> str:
        """Name the thread."""
        return f"the end of {'a thread' if self._task is None else self._task.name()}"


def _lock_types(core: Core) -> tuple[type, type]:
    """Make the two lock types. Their methods are closures: a global look-up less each."""
    ready = core.ready
    point = core.point
    main = core.main
    ident = _real_ident

    @final
    class Lock(_Contended):
        """A mutual exclusion lock that any thread may release."""

        __slots__ = ()
        _core = core

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            if ident() != core.home:
                core.refuse_foreign_thread()
            limit = None if blocking and timeout == -1 else _wait_limit(blocking, timeout)
            if ready:
                point()
            if self._owner is None:
                if self._offered:
                    self._take_back()
                self._owner = core.current or main
                return True
            return self._take_or_wait(limit)

        def release(self) -> None:
            if self._owner is None:
                if core.killing:
                    return
                raise RuntimeError("release unlocked lock")
            self._owner = None
            if self._waiters:
                self._let_go()
            if ready:
                point()

        def locked(self) -> bool:
            owner = self._owner
            return owner is not None and (owner.run == core.run or owner is main)

        def __enter__(self) -> bool:
            return self.acquire()

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            self.release()

        def _at_fork_reinit(self) -> None:
            self.__init__()  # CPython makes it a new lock in place, too

        def __repr__(self) -> str:
            state = "locked" if self.locked() else "unlocked"
            return f"<{state} _thread.lock number {self._number}>"

        acquire_lock = acquire
        release_lock = release
        locked_lock = locked

    @final
    class RLock(_Contended):
        """A lock that its owner may take again."""

        __slots__ = ("_count",)
        _core = core

        def __init__(self) -> None:
            super().__init__()
            self._count = 0

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            if ident() != core.home:
                core.refuse_foreign_thread()
            limit = None if blocking and timeout == -1 else _wait_limit(blocking, timeout)
            if self._owner is (core.current or main):
                self._count += 1
                return True
            if ready:
                point()
            if self._owner is None:
                if self._offered:
                    self._take_back()
                self._owner = core.current or main
                self._count = 1
                return True
            if self._take_or_wait(limit):
                self._count = 1
                return True
            return False

        def release(self) -> None:
            if self._owner is not (core.current or main):
                if core.killing:
                    return
                raise RuntimeError("cannot release un-acquired lock")
            self._count -= 1
            if self._count:
                return
            self._owner = None
            if self._waiters:
                self._let_go()
            if ready:
                point()

        def locked(self) -> bool:
            owner = self._owner
            return owner is not None and (owner.run == core.run or owner is main)

        def __enter__(self) -> bool:
            return self.acquire()

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            self.release()

        def _is_owned(self) -> bool:
            return self._owner is (core.current or main)

        def _recursion_count(self) -> int:
            return self._count if self._is_owned() else 0

        def _release_save(self) -> tuple[int, Task]:
            task = core.current or main
            if self._owner is not task:
                if core.killing:
                    raise GreenletExit
                raise RuntimeError("cannot release un-acquired lock")
            count = self._count
            self._count = 1
            self.release()
            return count, task

        def _acquire_restore(self, state: tuple[int, Task]) -> None:
            self.acquire()
            self._count = state[0]

        def _at_fork_reinit(self) -> None:
            self.__init__()  # CPython makes it a new lock in place, too

        def __repr__(self) -> str:
            state = "locked" if self.locked() else "unlocked"
            return f"<{state} _thread.RLock number {self._number} count={self._count}>"

    return Lock, RLock


def thread_module(core: Core, thread_name: Callable[[Task], str]) -> ModuleType:
    """Make a ``_thread`` over ``core``.

    Args:
      core: whose tasks are the threads.
      thread_name: how to name a started thread in reports.
    """
    lock_type, rlock_type = _lock_types(core)
    local_type = local_type_over(core)
    handle_type = type("_ThreadHandle", (), {**vars(ThreadHandle), "_core": core})

    def start(
        function: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Task:
        def body() -> None:
            try:
                function(*args, **(kwargs or {}))
            except (GreenletExit, SystemExit):
                pass
            except BaseException as error:
                core.report_death(task, error)

        owner = getattr(function, "__self__", None)
        is_thread = getattr(function, "__name__", "") == "_bootstrap"  # of threading.Thread
        task = core.spawn(body, lambda: thread_name(task), thread=owner if is_thread else function)
        return task

    def start_new_thread(
        function: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        /,
    ) -> int:
        if not callable(function):
            raise TypeError("first arg must be callable")
        if not isinstance(args, tuple):
            raise TypeError("2nd arg must be a tuple")
        task = start(function, args, kwargs)
        if core.ready and core.current is not None:
            core.point()
        return task.ident

    def start_joinable_thread(
        function: Callable[[], object], handle: Any = None, daemon: bool = True
    ) -> Any:
        del daemon  # no thread outlives its run
        if handle is None:
            handle = handle_type()
        task = start(function)
        task.at_end = [handle._set_done]
        handle._task = task
        handle._ident = task.ident
        if core.ready and core.current is not None:
            core.point()
        return handle

    def make_thread_handle(ident: int) -> Any:
        handle = handle_type()
        handle._task = core.current or core.main
        handle._ident = ident
        return handle

    def set_sentinel() -> Any:
        """3.11 and 3.12 join a lock that is released when the calling thread ends."""
        lock = lock_type()
        task = core.current or core.main
        if task.at_end is None:
            task.at_end = []
        task.at_end.append(lock._let_go)
        return lock

    def get_ident() -> int:
        return (core.current or core.main).ident

    def leave() -> None:
        raise SystemExit

    def interrupt_main(signum: int = 2, /) -> None:
        del signum
        raise real.error("the thread world has no main thread to interrupt")

    module = ModuleType("_thread", "Simulated threads of one world.")
    module.__dict__.update(
        {
            "LockType": lock_type,
            "RLock": rlock_type,
            "TIMEOUT_MAX": _TIMEOUT_MAX,
            "_ExceptHookArgs": real._ExceptHookArgs,
            "_ThreadHandle": handle_type,
            "_count": lambda: sum(not task.is_call for task in core.tasks.values()),
            "_excepthook": lambda _args, /: None,  # threading.excepthook is replaced anyway
            "_get_main_thread_ident": lambda: core.main.ident,
            "_is_main_interpreter": lambda: True,
            "_local": local_type,
            "_make_thread_handle": make_thread_handle,
            "_set_sentinel": set_sentinel,
            "_shutdown": lambda: None,
            "allocate": lock_type,
            "allocate_lock": lock_type,
            "daemon_threads_allowed": lambda: True,
            "error": real.error,
            "exit": leave,
            "exit_thread": leave,
            "get_ident": get_ident,
            "get_native_id": get_ident,
            "interrupt_main": interrupt_main,
            "lock": lock_type,
            "stack_size": lambda _size=0, /: 0,
            "start_joinable_thread": start_joinable_thread,
            "start_new": start_new_thread,
            "start_new_thread": start_new_thread,
        }
    )
    return module

"""What the copies of the standard library need besides their own source.

Three things: errors of threads are collected instead of printed; objects that end up in
sets get a hash that is the same in each run (the default hangs on addresses, and with it
the order in which an executor joins its threads); and what counts up over the life of a
process, such as the names of threads, starts anew with each run.
"""

from __future__ import annotations

import _queue
import itertools
import selectors as real_selectors
from types import ModuleType
from typing import TYPE_CHECKING, Any, final

from greenlet import GreenletExit

from quiesce.errors import HarnessError
from quiesce.worlds.threads.clocks import datetime_module, os_module, random_module, time_module
from quiesce.worlds.threads.primitives import thread_module
from quiesce.worlds.threads.tasks import Task, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quiesce.worlds.threads.core import Core

__all__ = ["Standard", "thread_name"]


def thread_name(task: Task) -> str:
    """How reports name a thread: as its library does, else by its function."""
    thread: Any = task.thread
    named = None if callable(thread) else thread.name
    return f"thread {named or getattr(thread, '__qualname__', type(thread).__qualname__)}"


@final
class Standard:
    """The simulated and adjusted modules over one core."""

    def __init__(self, core: Core, late_sleeps: tuple[int, ...]) -> None:
        self._core = core
        self._births = 0
        self._resets: list[Callable[[], None]] = []  # before a run
        self._sweeps: list[Callable[[], None]] = []  # after it
        empty_queue = ModuleType("_queue")  # without SimpleQueue, so queue takes its own
        empty_queue.Empty = _queue.Empty  # type: ignore[attr-defined]  # a module takes any attribute
        self.simulated: dict[str, ModuleType | None] = {
            "_asyncio": None,  # it keeps the running loop per OS thread
            "_queue": empty_queue,
            "_thread": thread_module(core, thread_name),
            "datetime": datetime_module(core),
            "os": os_module(),
            "selectors": _selectors_module(core),
            "time": time_module(core, late_sleeps),
        }
        # Made on first import: seeding costs more than the rest of opening a world.
        self.on_demand: dict[str, Callable[[], ModuleType]] = {"random": self._make_random}
        self.adjust: dict[str, Callable[[ModuleType], None]] = {
            "threading": self._adjust_threading,
            "concurrent.futures": self._adjust_futures_package,
            "concurrent.futures._base": self._adjust_futures,
            "concurrent.futures.thread": self._adjust_executor,
            "asyncio.log": self._adjust_log,
            "asyncio.base_events": _silence_loops,
            "asyncio.futures": self._adjust_asyncio_futures,
            "asyncio.tasks": self._adjust_asyncio_tasks,
            "asyncio.selector_events": self._adjust_loop,
        }

    def begin(self) -> None:
        """Start a run: count from the beginning."""
        self._births = 0
        for reset in self._resets:
            reset()

    def end(self) -> None:
        """End a run: forget its threads."""
        for sweep in self._sweeps:
            sweep()

    def _make_random(self) -> ModuleType:
        module, reseed = random_module()
        self._resets.append(reseed)
        return module

    def _birth(self, thing: Any) -> int:
        """A number for an object, in the order of first use."""
        attributes = thing.__dict__
        number = attributes.get("_quiesce_birth")
        if number is None:
            self._births += 1
            number = attributes["_quiesce_birth"] = self._births
        assert isinstance(number, int)
        return number

    def _hash_by_birth(self, cls: type) -> None:
        birth = self._birth

        def hash_of(thing: object) -> int:
            return birth(thing)

        cls.__hash__ = hash_of  # type: ignore[assignment,method-assign]  # a class takes any function

    def _adjust_threading(self, threading: Any) -> None:
        core = self._core
        active = threading._active
        limbo = threading._limbo
        shutdown_locks = getattr(threading, "_shutdown_locks", None)  # 3.11 and 3.12
        main_locks = set(shutdown_locks or ())
        main = dict(active)
        count = itertools.count

        def excepthook(args: Any) -> None:
            if not issubclass(args.exc_type, (SystemExit, GreenletExit)):
                core.report_death(core.current, args.exc_value)

        def reset() -> None:
            threading._counter = count(1).__next__

        def sweep() -> None:
            if len(active) > 1:
                active.clear()
                active.update(main)
            if limbo:
                limbo.clear()
            if shutdown_locks is not None and len(shutdown_locks) > len(main_locks):
                shutdown_locks.intersection_update(main_locks)

        threading.excepthook = excepthook
        self._hash_by_birth(threading.Thread)
        self._resets.append(reset)
        self._sweeps.append(sweep)

    def _adjust_futures_package(self, futures: Any) -> None:
        # Else resolved on first use, which may be in the hub, under the hub's modules.
        assert futures.ThreadPoolExecutor

    def _adjust_futures(self, base: Any) -> None:
        self._hash_by_birth(base.Future)
        base.id = self._birth  # wait() takes the futures' locks in the order of id()
        base.LOGGER = _Log(self._core, base.LOGGER)

    def _adjust_log(self, log: Any) -> None:
        log.logger = _Log(self._core, log.logger)

    def _adjust_executor(self, thread: Any) -> None:
        def reset() -> None:
            thread.ThreadPoolExecutor._counter = itertools.count().__next__

        self._resets.append(reset)

    def _adjust_asyncio_futures(self, futures: Any) -> None:
        self._hash_by_birth(futures.Future)

    def _adjust_asyncio_tasks(self, tasks: Any) -> None:
        del tasks.Task.__del__  # see _silence_loops

        def reset() -> None:
            tasks._task_name_counter = itertools.count(1).__next__

        self._resets.append(reset)

    def _adjust_loop(self, selector_events: Any) -> None:
        """Wake a sleeping loop through its selector instead of a pair of sockets."""
        loop_type = selector_events.BaseSelectorEventLoop

        def write_to_self(loop: Any) -> None:
            selector = loop._selector
            if selector is not None:
                selector.wake()

        loop_type._make_self_pipe = lambda _loop: None
        loop_type._close_self_pipe = lambda _loop: None
        loop_type._write_to_self = write_to_self


@final
class _Log:
    """A logger that doesn't hear how tasks are unwound."""

    def __init__(self, core: Core, logger: Any) -> None:
        self._core = core
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        return _ignore if self._core.killing else getattr(self._logger, name)


def _ignore(*_args: object, **_kwargs: object) -> bool:
    return False


def _silence_loops(base_events: Any) -> None:
    # It warns of a loop that was never closed, whenever the collector gets there: in the hub,
    # and in the middle of another run. A loop's thread is in the census.
    del base_events.BaseEventLoop.__del__


def _selectors_module(core: Core) -> ModuleType:
    """Make a ``selectors`` in which only time and wake-ups are ever ready."""

    @final
    class Selector(real_selectors.BaseSelector):
        """Where the event loop of one thread sleeps."""

        def __init__(self) -> None:
            self._waiters: list[Task] = []
            self._awake = False  # sticky: a wake-up may come before the loop sleeps

        def select(self, timeout: float | None = None) -> list[Any]:
            task = core.current
            if not self._awake and task is not None:
                if timeout is not None and timeout <= 0:
                    core.poll(task)
                    if core.ready:
                        core.point()
                else:
                    self._waiters.append(task)
                    core.block(self, None if timeout is None else core.now + nanoseconds(timeout))
            self._awake = False
            return []

        def wake(self) -> None:
            self._awake = True
            if self._waiters:
                core.wake(self._waiters.pop(0))
            if core.ready and core.current is not None:
                core.point()

        def register(self, fileobj: Any, _events: int, _data: Any = None) -> Any:
            raise HarnessError(
                f"code in the thread world waits for {fileobj!r}: real input and output is "
                "not simulated. Give the library a fake transport, or use the world os-threads"
            )

        def unregister(self, fileobj: Any) -> Any:
            raise KeyError(f"{fileobj!r} is not registered")

        def get_map(self) -> Mapping[Any, Any]:
            return {}

        def forget(self, task: Task, /) -> None:
            if task in self._waiters:
                self._waiters.remove(task)

        def describe(self, task: Task, /) -> str:
            return f"work for the event loop of {task.name()}"

    module = ModuleType("selectors", real_selectors.__doc__)
    module.__dict__.update(vars(real_selectors))
    for name in list(vars(module)):
        if name.endswith("Selector") and not name.startswith(("_", "Base")):
            setattr(module, name, Selector)
    return module

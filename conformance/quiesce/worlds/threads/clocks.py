"""Simulated ``time``, ``datetime``, ``random`` and ``os``: what a run could tell apart.

One virtual clock drives every way to ask for the time. Each reading is a scheduling
point, for between a reading and its use anything may happen.
"""

from __future__ import annotations

import datetime as real_datetime
import os as real_os
import random as real_random
import time as real_time
from types import BuiltinMethodType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from quiesce.worlds.threads.tasks import SLEEP, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.worlds.threads.core import Core

__all__ = ["datetime_module", "os_module", "random_module", "time_module"]

#: So that the default size of an executor, and so a schedule, doesn't depend on the machine.
_PROCESSORS: Final = 4

_CLOCKS: Final = ("time", "monotonic", "perf_counter", "process_time", "thread_time")


def _copy(module: ModuleType) -> ModuleType:
    copy = ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update(module.__dict__)
    return copy


def _reader(core: Core) -> Callable[[], int]:
    """The function that reads the clock, in nanoseconds."""
    ready = core.ready
    point = core.point
    poll = core.poll

    def read() -> int:
        task = core.current
        if task is not None:  # in the hub a look at the clock is just that
            if task.polls > 32:
                poll(task)
            else:
                task.polls += 1
                if ready:
                    point()
        return core.now

    return read


def time_module(core: Core, late_sleeps: tuple[int, ...]) -> ModuleType:
    """Make a ``time`` on the clock of ``core``.

    Args:
      core: whose tasks read the clock and sleep.
      late_sleeps: by how many nanoseconds a sleep may oversleep, if so chosen.
    """
    module = _copy(real_time)
    read = _reader(core)

    def seconds() -> float:
        return read() / 1e9

    def sleep(secs: float, /) -> None:
        if secs < 0:
            raise ValueError("sleep length must be non-negative")
        if secs == 0:
            core.give_way()
            return
        delay = nanoseconds(secs)
        if late_sleeps and not core.killing:
            delay += (0, *late_sleeps)[core.choose_data(len(late_sleeps) + 1, "late sleep")]
        core.block(SLEEP, core.now + delay)

    def with_default(function: Callable[[float], Any]) -> Callable[..., Any]:
        return lambda secs=None, /: function(seconds() if secs is None else secs)

    def asctime(when: Any = None, /) -> str:
        return real_time.asctime(module.localtime() if when is None else when)

    def strftime(form: str, when: Any = None, /) -> str:
        return real_time.strftime(form, module.localtime() if when is None else when)

    for name in _CLOCKS:
        setattr(module, name, seconds)
        setattr(module, f"{name}_ns", read)
    replaced: dict[str, object] = {
        "sleep": sleep,
        "clock_gettime": lambda _clock, /: seconds(),
        "clock_gettime_ns": lambda _clock, /: read(),
        "localtime": with_default(real_time.localtime),
        "gmtime": with_default(real_time.gmtime),
        "ctime": with_default(real_time.ctime),
        "asctime": asctime,
        "strftime": strftime,
    }
    module.__dict__.update(replaced)
    return module


def datetime_module(core: Core) -> ModuleType:
    """Make a ``datetime`` whose now, utcnow and today read the clock of ``core``.

    Its classes are subclasses of the real ones, and real instances count as theirs.
    """
    module = _copy(real_datetime)
    read = _reader(core)

    class OfAnyKind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, cls.__mro__[1])

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, cls.__mro__[1])

    epoch = real_datetime.datetime(1970, 1, 1, tzinfo=real_datetime.UTC)

    def at(cls: type[Any], tz: real_datetime.tzinfo | None) -> Any:
        # Built from whole microseconds: a float of seconds could be off by one.
        utc = epoch + real_datetime.timedelta(microseconds=read() // 1_000)
        local = utc.astimezone(tz)
        return cls(
            *(local.year, local.month, local.day, local.hour, local.minute, local.second),
            local.microsecond,
            tzinfo=local.tzinfo if tz is not None else None,
            fold=local.fold,
        )

    class datetime(real_datetime.datetime, metaclass=OfAnyKind):  # noqa: N801 - it stands in for it
        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
            return at(cls, tz)

        @classmethod
        def utcnow(cls) -> Any:
            return at(cls, real_datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return at(cls, None)

    class date(real_datetime.date, metaclass=OfAnyKind):  # noqa: N801 - it stands in for it
        @classmethod
        def today(cls) -> Any:
            now = at(real_datetime.datetime, None)
            return cls(now.year, now.month, now.day)

    for kind in (datetime, date):
        kind.__module__ = "datetime"
        kind.__qualname__ = kind.__name__
        setattr(module, kind.__name__, kind)
    return module


def random_module() -> tuple[ModuleType, Callable[[], None]]:
    """Make a ``random`` that is the same in every run, and the function that reseeds it."""
    module = _copy(real_random)
    unseeded = 0

    class Random(real_random.Random):
        def __init__(self, x: Any = None) -> None:
            nonlocal unseeded
            if x is None:
                unseeded += 1
                x = unseeded
            super().__init__(x)

    Random.__module__ = "random"
    Random.__qualname__ = "Random"
    shared = Random(0)
    module.Random = Random  # type: ignore[attr-defined]  # a module takes any attribute
    for name, value in vars(real_random).items():
        if isinstance(value, (MethodType, BuiltinMethodType)) and isinstance(
            value.__self__, real_random.Random
        ):
            setattr(module, name, getattr(shared, name))

    def reseed() -> None:
        nonlocal unseeded
        unseeded = 0
        shared.seed(0)

    return module, reseed


def os_module() -> ModuleType:
    """Make an ``os`` that registers nothing for a fork and always has the same processors."""
    module = _copy(real_os)
    module.__dict__.update(
        {
            # threading and others register a hook each time they are executed, for ever.
            "register_at_fork": lambda **_hooks: None,
            "cpu_count": lambda: _PROCESSORS,
            "process_cpu_count": lambda: _PROCESSORS,
        }
    )
    return module

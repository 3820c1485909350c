"""Virtual time: rounding, and the standard clocks, which show virtual time while a world runs.

Libraries for asyncio read ``time.monotonic`` and sleep with ``asyncio.sleep``: the two
must agree. So the attributes of ``time`` and ``datetime`` are swapped for *faces* when a
world gets control and swapped back when the hub does. A face outside a running world is
the real clock, so one that code under test has kept does no harm.
"""

from __future__ import annotations

import datetime
import math
import sys
import time
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["NEVER", "Place", "VirtualClock", "due_ns", "places_in", "seconds", "show", "showing"]

#: "Never": the due time of a timer at infinity.
NEVER: Final = 1 << 63


def due_ns(when: float) -> int:
    """The integer nanosecond at which a timer for ``when`` seconds fires.

    The nearest one if ``when`` means it, that is, if no more than float noise lies between
    (0.001 ns, or 4 units in the last place on a far clock); else the next one, since a
    timer may be late but never early.
    """
    if when == math.inf:
        return NEVER
    exact = when * 1e9
    nearest = round(exact)
    noise = max(0.001, 4 * math.ulp(exact))
    return nearest if abs(exact - nearest) <= noise else math.ceil(exact)


def seconds(at: int) -> str:
    """Integer nanoseconds as seconds, exactly."""
    whole, rest = divmod(at, 1_000_000_000)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".") + " s"


@final
@attrs.define(eq=False)
class VirtualClock:
    """The time of one world.

    Attributes:
      now: integer nanoseconds.
      sleep: what ``time.sleep`` does in this world; it gets seconds.
    """

    now: int
    sleep: Callable[[float], None]


_shown: VirtualClock | None = None


def showing() -> VirtualClock | None:
    """The clock that the faces show, None for the real time."""
    return _shown


# Faces are objects with __call__ and no functions: like the builtins they stand for, they
# must not turn into methods where code under test keeps one as a class attribute.


@final
class _Seconds:
    def __init__(self, real: Callable[[], float]) -> None:
        self.real = real
        self.__name__ = real.__name__

    def __call__(self) -> float:
        clock = _shown
        return self.real() if clock is None else clock.now / 1e9


@final
class _Nanoseconds:
    def __init__(self, real: Callable[[], int]) -> None:
        self.real = real
        self.__name__ = real.__name__

    def __call__(self) -> int:
        clock = _shown
        return self.real() if clock is None else clock.now


@final
class _Sleep:
    def __init__(self, real: Callable[[float], None]) -> None:
        self.real = real
        self.__name__ = real.__name__

    def __call__(self, seconds: float, /) -> None:
        clock = _shown
        if clock is None:
            self.real(seconds)
        else:
            clock.sleep(seconds)


_real_datetime: Final = datetime.datetime


class _LikeDatetime(type):
    """Lets values of the real class pass for instances of the face."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real_datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _real_datetime)


class _Datetime(datetime.datetime, metaclass=_LikeDatetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        clock = _shown
        if clock is None:
            return _real_datetime.now(tz)
        return _real_datetime.fromtimestamp(clock.now / 1e9, tz)

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


_FACES: Final[dict[str, object]] = {
    "time": _Seconds(time.time),
    "monotonic": _Seconds(time.monotonic),
    "perf_counter": _Seconds(time.perf_counter),
    "time_ns": _Nanoseconds(time.time_ns),
    "monotonic_ns": _Nanoseconds(time.monotonic_ns),
    "perf_counter_ns": _Nanoseconds(time.perf_counter_ns),
    "sleep": _Sleep(time.sleep),
}
_REAL: Final[dict[str, object]] = {name: vars(time)[name] for name in _FACES}
#: The face of each real thing, by identity: comparing would call foreign ``__eq__``.
_FACE_OF: Final[dict[int, object]] = {
    **{id(_REAL[name]): face for name, face in _FACES.items()},
    id(_real_datetime): _Datetime,
}
_time_attributes: Final = vars(time)


@final
@attrs.frozen
class Place:
    """An attribute in which code under test keeps a real clock."""

    owner: Any  # module, class or function
    attribute: str
    real: object
    face: object


def show(clock: VirtualClock | None, places: Iterable[Place] = ()) -> None:
    """Make the standard clocks show ``clock``, or the real time for None.

    Args:
      clock: the clock of the world that gets control.
      places: where else a real clock has been kept; swapped along.
    """
    global _shown
    _shown = clock
    if clock is None:
        _time_attributes.update(_REAL)
        datetime.datetime = _real_datetime  # type: ignore[misc]  # back to what it was
    else:
        _time_attributes.update(_FACES)
        datetime.datetime = _Datetime  # type: ignore[misc]  # the point of this module
    for place in places:
        setattr(place.owner, place.attribute, place.real if clock is None else place.face)


def places_in(packages: Iterable[str]) -> tuple[Place, ...]:
    """Find the real clocks that loaded modules of ``packages`` have bound at import.

    Looks at attributes of modules and of their classes, and at defaults of parameters.
    """
    wanted = tuple(packages)
    found: list[Place] = []
    for name, module in sorted(sys.modules.items()):
        if any(name == package or name.startswith(f"{package}.") for package in wanted):
            found += _in_namespace(module, name)
    return tuple(found)


def _in_namespace(owner: ModuleType | type, module: str) -> Iterator[Place]:
    for attribute, value in list(vars(owner).items()):
        if (face := _FACE_OF.get(id(value))) is not None:
            yield Place(owner, attribute, value, face)
            continue
        value = getattr(value, "__func__", value)  # of classmethod and staticmethod
        if getattr(value, "__module__", None) != module:
            continue  # defined elsewhere, and found there if it is of interest
        if isinstance(value, FunctionType):
            yield from _in_defaults(value)
        elif isinstance(value, type) and value.__qualname__.startswith(_prefix(owner)):
            yield from _in_namespace(value, module)


def _prefix(owner: ModuleType | type) -> str:
    # A class may name an outer class as an attribute: follow nesting only, or never end.
    return f"{owner.__qualname__}." if isinstance(owner, type) else ""


def _in_defaults(function: FunctionType) -> Iterator[Place]:
    positional = function.__defaults__ or ()
    faces = tuple(_FACE_OF.get(id(value), value) for value in positional)
    if any(face is not value for face, value in zip(faces, positional, strict=True)):
        yield Place(function, "__defaults__", positional, faces)
    named = function.__kwdefaults__ or {}
    faced = {key: _FACE_OF.get(id(value), value) for key, value in named.items()}
    if any(faced[key] is not value for key, value in named.items()):
        yield Place(function, "__kwdefaults__", named, faced)

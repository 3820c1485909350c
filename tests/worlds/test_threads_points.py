"""Where the thread world may preempt code under test, and that it never loses a place."""

from __future__ import annotations

import copy
import functools
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from quiesce.schedulers.scheduler import Schedule
from quiesce.worlds.threads import Points, ThreadWorldFactory

if TYPE_CHECKING:
    from pathlib import Path

# ---- subjects: loaded again for the world


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def bump(self) -> None:
        value = self.value
        self.value = value + 1


class Once:
    def __init__(self) -> None:
        self.done = False
        self.log: list[int] = []

    def with_python_call(self) -> None:
        if not self.done:
            self.note()
            self.done = True

    def note(self) -> None:
        self.log.append(1)

    def with_foreign_python_call(self) -> None:
        if not self.done:
            copy.copy(3)
            self.log.append(1)
            self.done = True

    def with_checked_builtin(self) -> None:
        if not self.done:
            abs(-1)
            self.log.append(1)
            self.done = True

    def with_unchecked_builtins(self) -> None:
        if not self.done:
            len(self.log)
            isinstance(self, Once)
            self.log.append(1)
            self.done = True

    def with_loop(self) -> None:
        if not self.done:
            n = 0
            while n < 2:
                n += 1
            self.log.append(1)
            self.done = True


class Kinds:
    """One method for each kind of point."""

    def __init__(self) -> None:
        self.value = 0
        self.items = {"a": 1}

    def entry(self) -> None:
        pass

    def jump(self) -> None:
        n = 0
        while n < 5:
            n += 1

    def c_return(self) -> None:
        abs(-1)
        abs(-1)
        abs(-1)

    def c_raise(self) -> None:
        for text in ("a", "b", "c"):
            try:  # noqa: SIM105 - suppress would be calls of its own
                int(text)
            except ValueError:
                pass

    def call(self) -> None:
        copy.copy(1)
        copy.copy(1)
        copy.copy(1)

    def resume(self) -> None:
        def numbers() -> Iterator[int]:
            yield 1
            yield 2
            yield 3

        sum(numbers())

    def heap(self) -> None:
        self.value = self.value + 1
        self.items["a"] = self.items["a"] + 1
        del self.items["a"]


class ReturnsPython:
    """On a GIL build nothing lies between the return of Python code and the store."""

    def __init__(self) -> None:
        self.value = 0

    def read(self) -> int:
        return self.value

    def bump(self) -> None:
        self.value = self.read() + 1


class Lazy:
    def __init__(self) -> None:
        self.done = False
        self.log: list[int] = []

    def get(self) -> None:
        import quiesce_lazy_subject  # type: ignore[import-not-found]  # written by the test

        quiesce_lazy_subject.get(self)


# ---- schedulers


class At:
    """Deviates at one step, if at all, and counts."""

    def __init__(self, step: int | None = None, index: int = 1) -> None:
        self.next_ask = 0
        self.deviation = step
        self.index = index
        self.last = -1

    def begin(self) -> bool:
        return True

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        self.last = step
        return self.index if step == self.deviation else 0

    def choose_data(self, options: int, *, label: str) -> int:
        return 0

    def end(self, *, failed: bool) -> None:
        pass

    @property
    def schedule(self) -> Schedule:
        return Schedule()


class Pass(At):
    """Lets the first task stop at its ``point``-th point until the second one has ended.

    ``passed`` counts the points of the second one.
    """

    def __init__(self, point: int) -> None:
        super().__init__()
        self.left = point
        self.passed = 0

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        if forced:
            return 0
        if enabled[0] == 1:
            self.passed += 1
            return 0
        self.left -= 1
        return int(self.left == 0)


Factories = Callable[[Points], ThreadWorldFactory]


@pytest.fixture(scope="module")
def factories() -> Iterator[Factories]:
    made: dict[Points, ThreadWorldFactory] = {}

    def factory(points: Points) -> ThreadWorldFactory:
        if points not in made:
            made[points] = ThreadWorldFactory(points=points)
        return made[points]

    yield factory
    for each in made.values():
        each.shut()


def explore(factory: ThreadWorldFactory, run: Callable[[At], object]) -> list[object]:
    """The outcomes of all schedules with at most one deviation."""
    default = At()
    return [run(default), *(run(At(step)) for step in range(default.last + 1))]


def twice(
    factory: ThreadWorldFactory, name: str, method: str, judge: Callable[[object], object]
) -> list[object]:
    cls = factory.load(__name__, name)

    def run(scheduler: At) -> object:
        world = factory.open(scheduler)
        subject = cls()
        for _ in range(2):
            world.spawn(method, getattr(subject, method))
        world.settle()
        world.close()
        return judge(subject)

    return explore(factory, run)


def runs_of(factory: ThreadWorldFactory, method: str) -> set[object]:
    """How often the initialiser may run."""
    return set(twice(factory, "Once", method, lambda once: len(once.log)))  # type: ignore[attr-defined]  # it is an Once


def test_a_lost_update_needs_points_at_the_heap(factories: Factories) -> None:
    values = {
        points: set(twice(factories(points), "Counter", "bump", lambda counter: counter.value))  # type: ignore[attr-defined]  # it is a Counter
        for points in Points
    }
    assert values == {Points.OPERATIONS: {2}, Points.GIL: {2}, Points.FREE_THREADED: {1, 2}}


@pytest.mark.parametrize(
    ("method", "runs"),
    [
        ("with_python_call", {1, 2}),
        ("with_foreign_python_call", {1, 2}),
        ("with_checked_builtin", {1, 2}),
        ("with_unchecked_builtins", {1}),
        ("with_loop", {1, 2}),
    ],
)
def test_check_then_act_is_split_where_a_gil_build_checks(
    factories: Factories, method: str, runs: set[int]
) -> None:
    assert runs_of(factories(Points.OPERATIONS), method) == {1}
    assert runs_of(factories(Points.GIL), method) == runs
    assert runs_of(factories(Points.FREE_THREADED), method) == {1, 2}


def test_the_return_of_python_code_is_no_point_of_a_gil_build(factories: Factories) -> None:
    def judge(subject: object) -> object:
        return subject.value  # type: ignore[attr-defined]  # it is a ReturnsPython

    assert set(twice(factories(Points.GIL), "ReturnsPython", "bump", judge)) == {2}
    assert set(twice(factories(Points.FREE_THREADED), "ReturnsPython", "bump", judge)) == {1, 2}


@pytest.mark.parametrize(
    ("kind", "points", "least"),
    [
        ("entry", Points.GIL, 1),
        ("jump", Points.GIL, 5),
        ("c_return", Points.GIL, 4),
        ("c_raise", Points.GIL, 4),
        ("call", Points.GIL, 4),
        ("resume", Points.GIL, 4),
        ("heap", Points.FREE_THREADED, 8),
    ],
)
def test_a_task_parked_at_a_point_costs_the_other_none_of_its_points(
    factories: Factories, kind: str, points: Points, least: int
) -> None:
    factory = factories(points)
    cls = factory.load(__name__, "Kinds")

    def passed(point: int) -> int:
        scheduler = Pass(point)
        world = factory.open(scheduler)
        gate = world.gate("g")
        world.spawn("first", getattr(cls(), kind))
        world.spawn("second", getattr(cls(), kind))
        # A third one, never chosen, keeps the second from being alone and thus without points.
        world.spawn("third", gate.wait)
        world.settle()
        world.close()
        return scheduler.passed

    undisturbed = passed(0)
    assert undisturbed >= least
    assert [passed(point) for point in range(1, undisturbed + 1)] == [undisturbed] * undisturbed


def test_a_lazily_imported_module_is_watched(
    factories: Factories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quiesce_lazy_subject.py").write_text(
        "def get(once):\n"
        "    if not once.done:\n"
        "        note(once)\n"
        "        once.done = True\n"
        "def note(once):\n"
        "    once.log.append(1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    factory = ThreadWorldFactory(points=Points.GIL, packages=("quiesce_lazy_subject",))
    try:
        outcomes = twice(factory, "Lazy", "get", lambda lazy: len(lazy.log))  # type: ignore[attr-defined]  # it is a Lazy
        assert set(outcomes) == {1, 2}
        assert "quiesce_lazy_subject" not in sys.modules
    finally:
        factory.shut()


def test_the_hub_meets_no_points(factories: Factories) -> None:
    factory = factories(Points.FREE_THREADED)
    scheduler = At()
    world = factory.open(scheduler)
    subject = factory.load(__name__, "Kinds")()
    for method in ("jump", "c_return", "call", "heap"):
        world.spawn(method, functools.partial(subject.jump))
        getattr(subject, method)()
    assert scheduler.last == -1
    world.close()


def test_shutting_the_factory_stops_the_watching() -> None:
    factory = ThreadWorldFactory(points=Points.GIL)
    bump = factory.load(__name__, "Counter").bump  # type: ignore[attr-defined]  # it is a Counter
    world = factory.open()
    world.spawn("wait", world.gate("g").wait)
    world.settle()
    world.close()
    tracer = sys.gettrace()
    factory.shut()
    if sys.version_info >= (3, 12):
        for tool in (3, 4):
            if sys.monitoring.get_tool(tool) is not None:  # another factory's
                assert sys.monitoring.get_local_events(tool, bump.__code__) == 0
    assert sys.gettrace() is tracer
    assert bump.__code__.co_name == "bump"


def test_the_hub_keeps_its_own_trace_function() -> None:
    seen: list[str] = []

    def tracer(frame: object, event: str, argument: object) -> None:
        seen.append(event)

    factory = ThreadWorldFactory(points=Points.GIL)
    outer = sys.gettrace()
    try:
        world = factory.open()
        subject = factory.load(__name__, "Kinds")()
        world.spawn("jump", subject.jump)
        sys.settrace(tracer)
        world.settle()
        assert sys.gettrace() is tracer
        seen.clear()
        threading.current_thread()
        assert "call" in seen
    finally:
        sys.settrace(outer)
        factory.shut()

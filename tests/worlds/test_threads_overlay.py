"""What code in the thread world imports, and what the hub doesn't."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import functools
import os
import queue
import random
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from quiesce.errors import ConfigurationError, HarnessError
from quiesce.worlds.threads import Points, ThreadWorld, ThreadWorldFactory
from quiesce.worlds.world import CURRENT_CALL, START, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

SECOND = 1_000_000_000

# ---- subjects: loaded again for the world


class Clocks:
    def read(self) -> dict[str, object]:
        utc = datetime.UTC
        return {
            "time": time.time(),
            "time_ns": time.time_ns(),
            "monotonic": time.monotonic(),
            "perf_counter_ns": time.perf_counter_ns(),
            "process_time": time.process_time(),
            "clock_gettime": time.clock_gettime(time.CLOCK_MONOTONIC),
            "gmtime": time.gmtime()[:6],
            "now": datetime.datetime.now(utc).isoformat(),
            "timestamp": datetime.datetime.now().timestamp(),
            "today": datetime.datetime.today() == datetime.datetime.fromtimestamp(time.time()),
            "real": isinstance(datetime.datetime.fromtimestamp(0), datetime.datetime),
        }

    def draw(self) -> tuple[float, float, int | None]:
        return random.random(), random.Random().random(), os.cpu_count()

    def modules(self) -> tuple[ModuleType, ...]:
        import threading as imported

        return threading, imported, sys.modules["threading"], sys.modules["time"]


class Errors:
    def empty(self) -> None:
        queue.Queue[int]().get_nowait()

    def full(self) -> None:
        full = queue.Queue[int](1)
        full.put(1)
        full.put_nowait(1)

    def simple_empty(self) -> None:
        queue.SimpleQueue[int]().get_nowait()

    def broken(self) -> None:
        barrier = threading.Barrier(2)
        barrier.abort()
        barrier.wait()

    def cancelled(self) -> None:
        future = concurrent.futures.Future[int]()
        future.cancel()
        future.result()

    def too_late(self) -> None:
        concurrent.futures.Future[int]().result(timeout=1)

    def unlocked(self) -> None:
        threading.Lock().release()

    def timeout(self) -> None:
        asyncio.run(asyncio.wait_for(asyncio.sleep(5), 1))


class Loops:
    """An event loop in a thread of the world."""

    def run(self) -> list[object]:
        def job() -> str:
            time.sleep(1)
            return threading.current_thread().name

        async def main() -> list[object]:
            loop = asyncio.get_running_loop()
            event = asyncio.Event()
            threading.Timer(2, lambda: loop.call_soon_threadsafe(event.set)).start()
            await event.wait()
            woken = time.monotonic()
            name = await asyncio.to_thread(job)
            await asyncio.sleep(3600)
            return [woken, name, time.monotonic()]

        return asyncio.run(main())

    def forget_to_wake(self) -> float:
        async def main() -> float:
            future = asyncio.get_running_loop().create_future()
            threading.Timer(2, future.set_result, [None]).start()  # not through the loop
            await asyncio.wait({future}, timeout=10)
            return time.monotonic()

        return asyncio.run(main())

    def read_file(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().add_reader(0, print)

        asyncio.run(main())


class Late:
    def use(self) -> str:
        import quiesce_late_subject  # type: ignore[import-not-found]

        return str(quiesce_late_subject.clock())


@pytest.fixture(scope="module")
def factory() -> Iterator[ThreadWorldFactory]:
    factory = ThreadWorldFactory(points=Points.OPERATIONS)
    yield factory
    factory.shut()


@pytest.fixture
def world(factory: ThreadWorldFactory) -> Iterator[ThreadWorld]:
    world = factory.open()
    yield world
    world.close()


def run(world: ThreadWorld, operation: Callable[[], object]) -> object:
    call = world.spawn("run", operation)
    world.advance_to(world.now + 10_000 * SECOND)
    if call.error is not None:
        raise call.error
    assert call.status is Status.RETURNED, world.blocked()
    return call.value


def test_every_clock_is_the_virtual_one(factory: ThreadWorldFactory, world: ThreadWorld) -> None:
    clocks = factory.load(__name__, "Clocks")
    world.advance_to(START + 1_500_000_000)
    call = world.spawn("read", lambda: clocks().read())
    world.settle()
    assert call.value == {
        "time": 1001.5,
        "time_ns": 1_001_500_000_000,
        "monotonic": 1001.5,
        "perf_counter_ns": 1_001_500_000_000,
        "process_time": 1001.5,
        "clock_gettime": 1001.5,
        "gmtime": (1970, 1, 1, 0, 16, 41),
        "now": "1970-01-01T00:16:41.500000+00:00",
        "timestamp": 1001.5,
        "today": True,
        "real": True,
    }
    assert time.time() > 1e9


def test_random_numbers_and_processors_are_the_same_in_every_run(
    factory: ThreadWorldFactory,
) -> None:
    clocks = factory.load(__name__, "Clocks")
    state = random.getstate()
    drawn = []
    for _ in range(2):
        world = factory.open()
        drawn.append(run(world, lambda: clocks().draw()))
        world.close()
    assert drawn[0] == drawn[1]
    assert random.getstate() == state


def test_the_overlay_is_there_while_the_world_runs_and_only_then(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    subject = factory.load(__name__, "Clocks")()
    before, finders = dict(sys.modules), list(sys.meta_path)
    modules = run(world, subject.modules)
    assert isinstance(modules, tuple)
    assert modules[0] is modules[1] is modules[2]
    assert modules[0] is not threading
    assert modules[3] is not time
    assert sys.modules == before
    assert sys.meta_path == finders


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("empty", queue.Empty),
        ("full", queue.Full),
        ("simple_empty", queue.Empty),
        ("broken", threading.BrokenBarrierError),
        ("cancelled", concurrent.futures.CancelledError),
        ("too_late", concurrent.futures.TimeoutError),
        ("unlocked", RuntimeError),
        ("timeout", asyncio.TimeoutError),
    ],
)
def test_errors_of_the_standard_library_are_the_hubs(
    factory: ThreadWorldFactory, world: ThreadWorld, method: str, kind: type[Exception]
) -> None:
    subject = factory.load(__name__, "Errors")()
    with pytest.raises(kind):
        run(world, getattr(subject, method))


def test_an_event_loop_runs_in_a_thread(factory: ThreadWorldFactory, world: ThreadWorld) -> None:
    call = world.spawn("run", factory.load(__name__, "Loops")().run)
    world.settle()
    assert [blocked.waits_for for blocked in world.blocked()] == [
        "work for the event loop of call 0 (run)",
        "a notification (Condition.wait in Timer.run), until 1002 s",
    ]
    world.advance_to(START + 4_000 * SECOND)
    assert call.value == [1002.0, "asyncio_0", 4603.0]
    assert world.census() == ()


def test_a_result_set_past_the_loop_wakes_nobody(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    assert run(world, factory.load(__name__, "Loops")().forget_to_wake) == 1010.0


def test_real_input_and_output_is_refused(factory: ThreadWorldFactory, world: ThreadWorld) -> None:
    with pytest.raises(HarnessError, match="waits for 0: real input"):
        run(world, factory.load(__name__, "Loops")().read_file)


def test_the_kit_itself_is_never_loaded_twice(factory: ThreadWorldFactory) -> None:
    factory.load(__name__, "Clocks")
    own = factory._overlay.module(__name__)
    assert own is not None
    assert own is not sys.modules[__name__]
    assert own.CURRENT_CALL is CURRENT_CALL
    with pytest.raises(ConfigurationError, match="the kit itself uses it"):
        ThreadWorldFactory(packages=("attrs",))


def test_a_class_is_loaded_once_and_found_by_its_qualified_name(
    factory: ThreadWorldFactory,
) -> None:
    assert factory.load(__name__, "Clocks") is factory.load(__name__, "Clocks") is not Clocks
    with pytest.raises(ConfigurationError, match="no class Missing"):
        factory.load(__name__, "Missing")
    with pytest.raises(ConfigurationError, match="can't be imported again"):
        factory.load("quiesce_no_such_module", "Missing")
    with pytest.raises(ConfigurationError, match="defined in a function"):
        factory.load(__name__, "run.<locals>.Missing")


def test_a_shared_module_imported_in_the_world_gets_the_real_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quiesce_late_subject.py").write_text(
        "import time\ndef clock():\n    return time.time.__module__\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "quiesce_late_subject", raising=False)
    factory = ThreadWorldFactory(points=Points.OPERATIONS)
    world = factory.open()
    try:
        assert run(world, factory.load(__name__, "Late")().use) == "time"
        assert "quiesce_late_subject" in sys.modules  # as after any import
    finally:
        world.close()
        factory.shut()
        sys.modules.pop("quiesce_late_subject", None)


def test_a_module_under_test_leaves_the_hubs_package_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "quiesce_some_package"
    package.mkdir()
    (package / "__init__.py").write_text("loaded = []\n")
    (package / "subject.py").write_text(
        "from quiesce_some_package import loaded\nloaded.append(__name__)\n"
        "class Subject:\n"
        "    def find(self):\n"
        "        from quiesce_some_package import subject\n"
        "        return subject.Subject is Subject\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    factory = ThreadWorldFactory(
        points=Points.OPERATIONS, packages=("quiesce_some_package.subject",)
    )
    world = factory.open()
    try:
        import quiesce_some_package  # type: ignore[import-not-found]

        subject = factory.load("quiesce_some_package.subject", "Subject")
        assert run(world, lambda: subject().find()) is True
        assert not hasattr(quiesce_some_package, "subject")
        assert quiesce_some_package.loaded == ["quiesce_some_package.subject"]
    finally:
        world.close()
        factory.shut()
        sys.modules.pop("quiesce_some_package", None)


def test_two_factories_take_turns() -> None:
    factories = [ThreadWorldFactory(points=points) for points in (Points.GIL, Points.FREE_THREADED)]
    try:
        worlds = [factory.open() for factory in factories]
        calls = []
        for factory, world in zip(factories, worlds, strict=True):
            subject = factory.load(__name__, "Clocks")()
            calls += [world.spawn("read", functools.partial(subject.read)) for _ in range(2)]
        for world in (*worlds, *worlds):
            world.step(3)
        for world in worlds:
            world.settle()
        assert {call.status for call in calls} == {Status.RETURNED}
        for world in worlds:
            assert world.close() == ()
    finally:
        for factory in factories:
            factory.shut()

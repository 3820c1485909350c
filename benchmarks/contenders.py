"""Those who are measured on the small programs: the kit, two floors and two packages.

Each runs ``tests/programs/small.py`` unchanged. A contender answers two questions: how many
schedules a second of a correct program, and how soon a broken one is found out.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "programs"))
import small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quiesce.explore import Program
    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["CONTENDERS", "PROGRAMS", "Contender", "Found", "Rate"]

PROGRAMS: Final[tuple[type[Program], ...]] = (
    small.Counter2,
    small.Once2,
    small.Once3,
    small.OnceCalls,
    small.Deadlock,
    small.Drift,
    small.OrderABC,
    small.OrderCBA,
)

#: Schedules after which a search gives up, of ours and of the peers; theirs are slower.
LIMIT: Final = 2_000
PEER_LIMIT: Final = 500


@attrs.frozen
class Rate:
    """Schedules and what they cost. A loaded machine stretches the wall time only."""

    schedules: int
    wall_s: float
    cpu_s: float


@attrs.frozen
class Found:
    """How a search ended. ``verdict`` is found, complete (there is no failure) or missed."""

    verdict: str
    schedules: int
    wall_s: float
    cpu_s: float


class Contender(Protocol):
    """One tool with one search over one granularity."""

    name: str

    def rate(self, seconds: float) -> Rate:
        """Run the correct program for about so long."""

    def find(self, program: type[Program], seed: int) -> Found:
        """Search until the first failure."""


class Stopwatch:
    """Wall and processor time since it was made, in seconds."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def rate(self, schedules: int) -> Rate:
        return Rate(schedules, time.perf_counter() - self._wall, time.process_time() - self._cpu)

    def found(self, verdict: str, schedules: int) -> Found:
        rate = self.rate(schedules)
        return Found(verdict, schedules, rate.wall_s, rate.cpu_s)


def until(seconds: float, batch: int) -> Iterator[int]:
    """Numbers of batches until so much wall time has passed."""
    end = time.perf_counter() + seconds
    for number in count():
        yield number * batch
        if time.perf_counter() >= end:
            return


# ---- the kit


class Kit:
    """quiesce at one point set with one strategy. Loading a program is not counted."""

    def __init__(
        self, points: str, strategy: str, make: Callable[[int, int], Scheduler], *, short: bool
    ) -> None:
        self.name = f"quiesce {points}, {strategy}"
        self._points = points
        self._make = make
        self._short = short

    def rate(self, seconds: float) -> Rate:
        from quiesce.explore import Explorer

        with Explorer(small.LockedCounter, points=self._points) as explorer:
            explorer.run()
            watch, ran = Stopwatch(), 0
            for seed in until(seconds, 1):
                strategy = self._make(500, seed)
                while strategy.begin():
                    strategy.end(failed=explorer.run(strategy) is not None)
                    ran += 1
            return watch.rate(ran)

    def find(self, program: type[Program], seed: int) -> Found:
        from quiesce.explore import Explorer

        with Explorer(program, points=self._points) as explorer:
            explorer.run()
            strategy = self._make(LIMIT, seed)
            watch = Stopwatch()
            if self._short:
                explored = explorer.search(strategy)
                verdict = "complete" if explored.complete else "missed"
                verdict = "found" if explored.failure is not None else verdict
                return watch.found(verdict, explored.executions)
            ran = 0
            while strategy.begin():
                ran += 1
                failed = explorer.run(strategy) is not None
                strategy.end(failed=failed)
                if failed:
                    return watch.found("found", ran)
            certificate = getattr(strategy, "certificate", None)
            complete = certificate is not None and certificate.ended
            return watch.found("complete" if complete else "missed", ran)


def _kits() -> list[Contender]:
    from quiesce.schedulers.bounded import Bounded
    from quiesce.schedulers.pct import Pct
    from quiesce.schedulers.portfolio import Budget, Portfolio
    from quiesce.schedulers.random_walk import RandomWalk

    def portfolio(executions: int, seed: int) -> Scheduler:
        bounded = executions * 3 // 5
        return Portfolio(Budget(executions, bounded, deviations=50, slice=20), seed=seed)

    strategies: dict[str, Callable[[int, int], Scheduler]] = {
        "bounded": lambda executions, seed: Bounded(
            max_deviations=50, budget=executions, sample_seed=seed
        ),
        "pct": lambda executions, seed: Pct(depth=3, executions=executions, seed=seed),
        "random": lambda executions, seed: RandomWalk(executions=executions, seed=seed),
        "portfolio": portfolio,
    }
    return [
        Kit(points, name, make, short=name == "portfolio")
        for points in ("operations", "gil", "free-threaded")
        for name, make in strategies.items()
    ]


# ---- a floor: nothing but greenlets


class Bare:
    """Pooled greenlets which switch at random at each lock operation, and nothing else.

    No clock, no overlay, no replay, no reports, no exact waiting: the price of the mechanism.
    """

    name = "bare greenlets, random at lock operations"

    def __init__(self) -> None:
        from greenlet import getcurrent, greenlet

        self._greenlet, self._current = greenlet, getcurrent
        self._ready: list[Any] = []
        self._pool: list[Any] = []
        self._random = random.Random(0)

    def rate(self, seconds: float) -> Rate:
        watch, ran = Stopwatch(), 0
        for batch in until(seconds, 500):
            for _ in range(500):
                assert self._run(small.LockedCounter)
            ran = batch + 500
        return watch.rate(ran)

    def find(self, program: type[Program], seed: int) -> Found:
        self._random.seed(seed)
        watch = Stopwatch()
        for ran in range(1, LIMIT + 1):
            if not self._run(program):
                return watch.found("found", ran)
        return watch.found("missed", LIMIT)

    def _run(self, make: type[Program]) -> bool:
        program = make()
        for name, value in vars(program).items():
            if isinstance(value, type(threading.Lock())):
                setattr(program, name, _BareLock(self))
        self._hub = self._current()
        tasks = program.tasks()
        self._left = len(tasks)
        for task in tasks:
            worker = self._pool.pop() if self._pool else self._greenlet(self._serve, self._hub)
            worker.job = task
            self._ready.append(worker)
        self._next().switch()
        if self._left:
            self._pool.clear()
            return False
        return program.ok()

    def _serve(self) -> None:
        me = self._current()
        while True:
            me.job()
            self._left -= 1
            self._pool.append(me)
            self._next().switch()

    def _next(self) -> Any:
        ready = self._ready
        return ready.pop(self._random.randrange(len(ready))) if ready else self._hub

    def point(self) -> None:
        self._ready.append(me := self._current())
        chosen = self._next()
        if chosen is not me:
            chosen.switch()

    def wait(self, waiters: list[Any]) -> None:
        waiters.append(self._current())
        self._next().switch()

    def wake(self, waiters: list[Any]) -> None:
        self._ready += waiters
        waiters.clear()


class _BareLock:
    def __init__(self, floor: Bare) -> None:
        self._floor = floor
        self._held = False
        self._waiters: list[Any] = []

    def __enter__(self) -> None:
        self._floor.point()
        while self._held:
            self._floor.wait(self._waiters)
        self._held = True

    def __exit__(self, *error: object) -> None:
        self._held = False
        self._floor.wake(self._waiters)
        self._floor.point()


# ---- another floor: real threads and luck


class RealThreads:
    """Threads of the operating system, fresh for each run, at a tiny switch interval."""

    name = "real threads, switch interval 1 us"

    def rate(self, seconds: float) -> Rate:
        watch, ran = Stopwatch(), 0
        for batch in until(seconds, 50):
            for _ in range(50):
                assert self._run(small.LockedCounter)
            ran = batch + 50
        return watch.rate(ran)

    def find(self, program: type[Program], seed: int) -> Found:  # noqa: ARG002 - luck has no seed
        watch = Stopwatch()
        for ran in range(1, LIMIT + 1):
            if not self._run(program):
                return watch.found("found", ran)
        return watch.found("missed", LIMIT)

    def _run(self, make: type[Program]) -> bool:
        program = make()
        threads = [threading.Thread(target=task, daemon=True) for task in program.tasks()]
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(1)
        finally:
            sys.setswitchinterval(before)
        return not any(thread.is_alive() for thread in threads) and program.ok()


# ---- packages from PyPI


class Frontrun:
    """frontrun, without its replays of what it finds and without its preemption bound."""

    def __init__(self, strategy: str) -> None:
        self.name = f"frontrun {strategy}"
        self._strategy = strategy

    def rate(self, seconds: float) -> Rate:
        watch, ran = Stopwatch(), 0
        for _ in until(seconds, 1):
            result = self._explore(small.LockedCounter, 20, ran)
            assert result.property_holds is not False
            ran += result.num_explored
        return watch.rate(ran)

    def find(self, program: type[Program], seed: int) -> Found:
        watch = Stopwatch()
        result = self._explore(program, PEER_LIMIT, seed)
        verdict = "complete" if self._strategy == "dpor" and result.property_holds else "missed"
        verdict = "found" if result.property_holds is False else verdict
        return watch.found(verdict, result.num_explored)

    def _explore(self, make: type[Program], limit: int, seed: int) -> Any:
        import frontrun  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

        if self._strategy == "dpor":
            search: dict[str, Any] = {"max_executions": limit, "preemption_bound": None}
        else:
            search = {"max_attempts": limit, "seed": seed}
        return frontrun.explore(
            setup=make,
            workers=[_nth(n) for n in range(len(make().tasks()))],
            invariant=lambda program: program.ok(),
            strategy=self._strategy,
            reproduce_on_failure=0,
            **search,
        )


def _nth(n: int) -> Callable[[Program], object]:
    return lambda program: program.tasks()[n]()


class InterleaveTest:
    """interleave-test, for Python 3.12 and later."""

    def __init__(self, strategy: str, granularity: str) -> None:
        self.name = f"interleave-test {strategy}, {granularity}"
        self._strategy = strategy
        self._granularity = granularity

    def rate(self, seconds: float) -> Rate:
        watch, ran = Stopwatch(), 0
        for batch in until(seconds, 20):
            result = self._explore(small.LockedCounter, 20, batch)
            assert result.ok
            ran += result.schedules_run
        return watch.rate(ran)

    def find(self, program: type[Program], seed: int) -> Found:
        watch = Stopwatch()
        result = self._explore(program, PEER_LIMIT, seed)
        verdict = "missed" if result.ok else "found"
        if result.ok and result.exhausted:
            verdict = "complete"
        return watch.found(verdict, result.schedules_run)

    def _explore(self, make: type[Program], limit: int, seed: int) -> Any:
        import interleave_test  # type: ignore[import-not-found,unused-ignore]  # optional

        def model() -> None:
            program = make()
            threads = [threading.Thread(target=task) for task in program.tasks()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert program.ok()

        return interleave_test.explore(
            model,
            iterations=limit,
            seed=seed,
            strategy=self._strategy,
            granularity=self._granularity,
            raise_on_failure=False,
            exclude=[__file__],
        )


def _if_installed(module: str, contenders: list[Contender]) -> list[Contender]:
    return contenders if find_spec(module) is not None else []


#: By group; each group runs in a process of its own, for some patch ``threading`` for good.
CONTENDERS: Final[dict[str, Callable[[], list[Contender]]]] = {
    "quiesce": _kits,
    "greenlets": lambda: [Bare()],
    "threads": lambda: [RealThreads()],
    "frontrun": lambda: _if_installed("frontrun", [Frontrun("dpor"), Frontrun("random")]),
    "interleave-test": lambda: _if_installed(
        "interleave_test",
        [
            InterleaveTest(strategy, granularity)
            for strategy in ("random", "pct", "dfs")
            for granularity in ("opcode", "line")
        ],
    ),
}

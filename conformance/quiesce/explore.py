"""Exploring a small program of threads, without a pattern: does any schedule break it?

A program is a class at the top of a module. Each execution makes a fresh object of it,
runs what ``tasks`` returns as threads, and asks ``ok`` once they have ended::

    class Counter:
        def __init__(self) -> None:
            self.value = 0

        def bump(self) -> None:
            value = self.value
            self.value = value + 1

        def tasks(self) -> Sequence[Callable[[], object]]:
            return self.bump, self.bump

        def ok(self) -> bool:
            return self.value == 2

    print(explore(Counter, points="free-threaded"))
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Protocol, final

import attrs

from quiesce.errors import ConfigurationError, HarnessError, SpinError
from quiesce.schedulers.bounded import Bounded, Certificate
from quiesce.schedulers.portfolio import Budget, Portfolio, minimise
from quiesce.schedulers.replay import Replay
from quiesce.worlds.threads import Points, ThreadWorldFactory
from quiesce.worlds.watchdog import place
from quiesce.worlds.world import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType, TracebackType

    from quiesce.schedulers.scheduler import Schedule, Scheduler
    from quiesce.worlds.threads import ThreadWorld
    from quiesce.worlds.world import Call

__all__ = ["BUDGET", "Exploration", "Explorer", "Program", "explore"]

#: No last level: a small program's space may end within the budget.
BUDGET: Final = Budget(executions=2_000, bounded=1_200, deviations=50, slice=20)

#: Executions that may go into making a failing schedule short.
_SHORTENING: Final = 500

#: Instants at which timers may fire before the tasks have to have ended.
_FIRINGS: Final = 500


class Program(Protocol):
    """What is explored. The constructor and ``tasks`` run on a thread of their own."""

    def tasks(self) -> Sequence[Callable[[], object]]:
        """The functions to run concurrently. One that raises is a failure."""

    def ok(self) -> bool:
        """Whether the tasks, all ended, left behind what they should. It must not wait."""


@attrs.frozen
class Exploration:
    """What a search found, and never more than it has looked at.

    Attributes:
      failure: what went wrong, None if nothing did.
      schedule: the failing schedule made short, None without a failure.
      executions: schedules run up to the first failure, or in all.
      bound: what the search has covered, in words.
      complete: whether every schedule there is ran, without a failure.
      history: the failing run: where tasks were preempted, and how they ended.
    """

    program: str
    points: Points
    failure: str | None
    schedule: Schedule | None
    executions: int
    bound: str
    complete: bool = False
    history: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = "no failure" if self.failure is None else self.failure
        head = f"{self.program} at the points {self.points.value}: {verdict} ({self.bound})"
        return "\n  ".join((head, *self.history))


def explore(
    program: type[Program],
    *,
    points: Points | str = Points.GIL,
    packages: Sequence[str] = (),
    budget: Budget = BUDGET,
    seed: int = 0,
) -> Exploration:
    """Look for a schedule under which a program fails.

    A failure is an error of a task or of a thread it started, a deadlock, tasks that never
    end, or a false ``ok``. Time is virtual.

    Args:
      program: a class at the top of its module, made without arguments.
      points: where a thread may be preempted, or the name of such a set.
      packages: import names that are under test besides the program's own module.
      budget: how much to search.
      seed: the same seed makes the same search.

    Raises:
      ConfigurationError: the class can't be imported again, or the point set does not exist.
      HarnessError: the program reaches for something real, or its constructor waits for ever.
    """
    with Explorer(program, points=points, packages=packages) as explorer:
        return explorer.search(Portfolio(budget, seed=seed))


@final
class Explorer:
    """A program loaded for the thread world, for any number of executions.

    Module-level state of the packages under test lives as long as the explorer. Use it as a
    context manager, for it holds signals and places in code.

    Args: see ``explore``.
    """

    def __init__(
        self,
        program: type[Program],
        *,
        points: Points | str = Points.GIL,
        packages: Sequence[str] = (),
    ) -> None:
        self.name = program.__qualname__
        try:
            self.points = Points(points)
        except ValueError:
            names = ", ".join(each.value for each in Points)
            raise ConfigurationError(f"there is no point set {points!r}; use {names}") from None
        self._factory = ThreadWorldFactory(
            points=self.points, packages=(*packages, program.__module__)
        )
        self._make: type[Program]
        try:
            self._make = self._factory.load(program.__module__, program.__qualname__)
        except BaseException:
            self._factory.shut()
            raise

    def __enter__(self) -> Explorer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._factory.shut()

    def run(
        self, scheduler: Scheduler | None = None, history: list[str] | None = None
    ) -> str | None:
        """Run the program once and return what went wrong, None if nothing did.

        Args:
          scheduler: has begun its execution, and is told of the outcome by the caller.
          history: is given a line for each task's end.
        """
        calls: list[Call] = []
        world = self._factory.open(scheduler)
        try:
            return self._judge(world, calls)
        except SpinError as error:
            return str(error)
        finally:
            if history is not None:
                history += map(_end, calls)
            world.close()

    def search(self, strategy: Scheduler) -> Exploration:
        """Run a strategy to its first failure, which is then made short, or to its end."""
        executions = 0
        while strategy.begin():
            executions += 1
            failed = self.run(strategy) is not None
            strategy.end(failed=failed)
            if failed:
                return self._explain(strategy.schedule, executions)
        bound = f"{executions} schedules sampled; nothing beyond them is known"
        complete = False
        if isinstance(strategy, (Bounded, Portfolio)):
            certificate = strategy.certificate
            complete = certificate.ended
            bound = _covered(certificate, executions)
        return Exploration(self.name, self.points, None, None, executions, bound, complete)

    def _explain(self, schedule: Schedule, executions: int) -> Exploration:
        short = minimise(
            lambda scheduler: self.run(scheduler) is not None, schedule, budget=_SHORTENING
        )
        history: list[str] = []
        failure = self.run(_Narrator(short, history), history)
        if failure is None:
            raise HarnessError(
                f"{self.name} failed once and not when the same schedule was run again: it depends "
                "on something real, such as the wall clock, hash order or object addresses"
            )
        bound = f"found by schedule {executions}, made short to {_deviations(short.deviations)}"
        return Exploration(
            self.name,
            self.points,
            failure,
            short,
            executions,
            bound,
            history=tuple(history),
        )

    def _judge(self, world: ThreadWorld, calls: list[Call]) -> str | None:
        made: list[Program] = []
        functions: list[Callable[[], object]] = []

        def set_up() -> None:
            made.append(self._make())
            functions.extend(made[0].tasks())

        first = world.spawn("set-up", set_up)
        world.settle()
        if first.error is not None:
            raise first.error
        if first.status is Status.BLOCKED:
            raise HarnessError(f"the constructor of {self.name} waits: {_waits(world)}")
        calls += [world.spawn(_name(function), function) for function in functions]
        world.settle()
        for _ in range(_FIRINGS):
            due = world.next_due()
            if due is None or _ended(calls):
                break
            world.advance_to(due)
        if not _ended(calls):
            stuck = "deadlock" if world.next_due() is None else f"no end after {_FIRINGS} timers"
            return f"{stuck}: {_waits(world)}"
        alive = {blocked.task for blocked in world.blocked()}
        deaths = [name for name in world.census() if name not in alive]
        errors = [_end(call) for call in calls if call.error is not None] + deaths
        if errors:
            return "; ".join(errors)
        return None if made[0].ok() else f"{self.name}.ok() is false"


@final
class _Narrator:
    """Follows a schedule, and writes down where it differs from the default run."""

    def __init__(self, schedule: Schedule, history: list[str]) -> None:
        self._replay = Replay(schedule)
        self._history = history
        self.next_ask = self._replay.next_ask

    @property
    def schedule(self) -> Schedule:
        return self._replay.schedule

    def begin(self) -> bool:
        return self._replay.begin()

    def choose(self, enabled: Sequence[int], *, step: int, forced: bool) -> int:
        index = self._replay.choose(enabled, step=step, forced=forced)
        self.next_ask = self._replay.next_ask
        if index:
            where = _standing()
            stops = f"task {enabled[0]} stops{where}" if not forced else f"a task waits{where}"
            self._history.append(f"choice {step}: {stops}, task {enabled[index]} runs")
        return index

    def choose_data(self, options: int, *, label: str) -> int:
        value = self._replay.choose_data(options, label=label)
        self.next_ask = self._replay.next_ask
        return value

    def end(self, *, failed: bool) -> None:
        self._replay.end(failed=failed)


def _name(function: Callable[[], object]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _ended(calls: Sequence[Call]) -> bool:
    return all(call.status is not Status.BLOCKED for call in calls)


def _waits(world: ThreadWorld) -> str:
    return "; ".join(f"{blocked.task} waits for {blocked.waits_for}" for blocked in world.blocked())


def _end(call: Call) -> str:
    error = "" if call.error is None else f" {type(call.error).__name__}: {call.error}"
    return f"call {call.number} ({call.name}) {call.status.value}{error}"


def _deviations(number: int) -> str:
    return f"{number} deviation{'' if number == 1 else 's'}"


def _covered(certificate: Certificate, executions: int) -> str:
    if certificate.ended:
        return f"complete: the space ended, all its {certificate.executions} schedules ran"
    level = certificate.level
    text = f"level {level} complete: no failure with at most {_deviations(level)}"
    if certificate.cut:
        text += f"; {certificate.cut:.2%} of level {level + 1} sampled"
    others = executions - certificate.executions
    if others:
        text += f"; {others} other schedules sampled"
    return f"{text}; nothing beyond them is known"


def _standing() -> str:
    """Where the code under test stands that asks for this choice; empty if it is the hub."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code is not Explorer.run.__code__:
        if not f"{frame.f_globals.get('__name__')}.".startswith("quiesce."):
            return f" at {place(frame)}"
        frame = frame.f_back
    return ""

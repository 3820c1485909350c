"""The strategies, on a world of generators small enough to know every answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from itertools import permutations
from math import comb

import attrs
import pytest
from hypothesis import find, settings

from quiesce.schedulers.bounded import Bounded, Certificate
from quiesce.schedulers.pct import Pct, PctPlan, Priorities, pct_plans
from quiesce.schedulers.portfolio import CI, QUICK, Budget, Portfolio, minimise
from quiesce.schedulers.random_walk import RandomWalk
from quiesce.schedulers.replay import Diverged, Replay
from quiesce.schedulers.run_until_blocked import RunUntilBlocked
from quiesce.schedulers.scheduler import Schedule, Scheduler

Task = Generator[object, None, None]

YIELDS = "yields"  # a task lets others go first; None is a mere point, a function a wait


class Run:
    """One execution: what the tasks share."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.tasks: list[Task] = []
        self.x = 0
        self.locks: set[str] = set()
        self.log: list[object] = []
        self.steps: list[int] = []  # the tasks in the order in which they ran
        self.deadlock = False


@attrs.frozen
class Program:
    """Tasks on shared state, a judgement, and the fewest deviations that break it."""

    name: str
    start: Callable[[Run], Sequence[Task]]
    broken: Callable[[Run], bool]
    fewest: int = 0


def execute(program: Program, scheduler: Scheduler, *, lazy: bool = True) -> Run:
    """Run the program once. A lazy world asks only where the contract demands it."""
    run = Run(scheduler)
    run.tasks = list(program.start(run))
    waits: dict[int, Callable[[], bool]] = {}
    ended: set[int] = set()
    current, yielded, step, known = -1, False, 0, set[int]()
    while len(ended) < len(run.tasks):
        tasks = len(run.tasks)
        ready = {n for n in range(tasks) if n not in ended and (n not in waits or waits[n]())}
        if not ready:
            run.deadlock = True
            break
        forced = yielded or current not in ready
        enabled = sorted(ready, key=lambda n: (n - current - forced) % tasks)
        index = 0
        if len(enabled) > 1:
            if not lazy or forced or ready - known or step >= scheduler.next_ask:
                index = scheduler.choose(enabled, step=step, forced=forced)
                known = ready
            step += 1
        known = known & ready
        current = enabled[index]
        run.steps.append(current)
        waits.pop(current, None)
        try:
            says = next(run.tasks[current])
        except StopIteration:
            ended.add(current)
            says = None
        yielded = says == YIELDS
        if callable(says):
            waits[current] = says
    return run


def search(program: Program, strategy: Scheduler, *, most: int = 100_000) -> list[Schedule]:
    """Run the strategy to its first failure or its end; return the schedules, in order."""
    schedules: list[Schedule] = []
    while len(schedules) < most and strategy.begin():
        failed = program.broken(execute(program, strategy))
        strategy.end(failed=failed)
        schedules.append(strategy.schedule)
        if failed:
            break
    return schedules


def increment(run: Run, *, after: int = 0) -> Task:
    for _ in range(after):
        yield None
    yield None
    seen = run.x
    yield None
    run.x = seen + 1


def noise(run: Run, points: int) -> Task:
    for _ in range(points):
        run.log.append("noise")
        yield None


def append(run: Run, what: object) -> Task:
    run.log.append(what)
    return
    yield None


def lock_both(run: Run, first: str, second: str) -> Task:
    for lock in (first, second):
        yield lambda lock=lock: lock not in run.locks
        run.locks.add(lock)
    run.locks -= {first, second}


def look(run: Run, times: int) -> Task:
    for _ in range(times):
        run.log.append(run.x)
        yield None


def count(run: Run, times: int) -> Task:
    for _ in range(times):
        yield None
        run.x += 1


def pick(run: Run) -> Task:
    yield None
    run.log.append(run.scheduler.choose_data(3, label="waiter"))
    yield None
    run.log.append(run.scheduler.choose_data(2, label="timeout"))


def order3(order: Sequence[str], fewest: int) -> Program:
    return Program(
        name="order3-" + "".join(order),
        start=lambda run: [append(run, name) for name in "abc"],
        broken=lambda run: run.log == list(order),
        fewest=fewest,
    )


LOST_UPDATE = Program(
    name="lost update",
    start=lambda run: [increment(run), increment(run)],
    broken=lambda run: run.x != 2,
    fewest=1,
)
ABBA = Program(
    name="abba deadlock",
    start=lambda run: [lock_both(run, "A", "B"), lock_both(run, "B", "A")],
    broken=lambda run: run.deadlock,
    fewest=1,
)
DRIFT = Program(
    name="drift",
    start=lambda run: [increment(run), increment(run, after=12)],
    broken=lambda run: run.x != 2,
    fewest=1,
)
NOISE = Program(
    name="noise",
    start=lambda run: [increment(run), *(noise(run, 8) for _ in range(3)), increment(run)],
    broken=lambda run: run.x != 2,
    fewest=1,
)
TWO_SWITCHES = Program(
    name="two switches",
    start=lambda run: [look(run, 2), count(run, 4)],
    broken=lambda run: run.log == [0, 3],
    fewest=2,
)
THREE_SWITCHES = Program(
    name="three switches",
    start=lambda run: [look(run, 3), count(run, 2)],
    broken=lambda run: run.log == [0, 1, 2],
    fewest=3,
)
DATA = Program(
    name="data",
    start=lambda run: [pick(run), append(run, "beside")],
    broken=lambda run: run.log == [2, "beside", 1],
    fewest=3,
)
# Round robin: a rotation costs one deviation, and so does exchanging the last two.
ORDERS = [
    order3("abc", 0),
    order3("acb", 1),
    order3("bca", 1),
    order3("cab", 1),
    order3("bac", 2),
    order3("cba", 2),
]
BUGS = [LOST_UPDATE, ABBA, DRIFT, NOISE, TWO_SWITCHES, THREE_SWITCHES, DATA, *ORDERS]
CORRECT = Program("correct", lambda run: [increment(run), increment(run)], lambda run: False)


def strategies(seed: int) -> dict[str, Scheduler]:
    """One of each kind, about 40 executions long."""
    return {
        "run_until_blocked": RunUntilBlocked(),
        "bounded": Bounded(max_deviations=2, budget=40, sample_seed=seed),
        "pct": Pct(depth=3, executions=40, seed=seed),
        "random": RandomWalk(executions=40, seed=seed),
        "portfolio": Portfolio(Budget(executions=60, bounded=30, slice=4), seed=seed),
    }


def never(program: Program) -> Program:
    """The same program without a failure, so that a search goes on to its end."""
    return attrs.evolve(program, broken=lambda run: False)


names = partial(pytest.mark.parametrize, "program", ids=lambda program: program.name)
each_strategy = pytest.mark.parametrize("name", strategies(0))


@names(BUGS)
def test_bounded_search_finds_each_bug_with_the_fewest_deviations(program: Program) -> None:
    search_ = Bounded(max_deviations=3, budget=20_000)
    schedules = search(program, search_)
    assert search_.failing == schedules[-1]
    assert search_.failing.deviations == program.fewest
    assert [schedule.deviations for schedule in schedules] == sorted(
        schedule.deviations for schedule in schedules
    )


@names(BUGS)
def test_bounded_search_cannot_find_a_bug_below_its_depth(program: Program) -> None:
    search_ = Bounded(max_deviations=program.fewest - 1, budget=20_000)
    if program.fewest:
        search(program, search_)
        assert search_.failing is None
        assert search_.certificate.level == program.fewest - 1
        assert search_.certificate.cut == 0.0


def test_six_orders_are_all_orders() -> None:
    assert {program.name[-3:] for program in ORDERS} == {"".join(p) for p in permutations("abc")}


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 1), (2, 2), (3, 3)])
def test_exhausting_a_small_program_visits_every_interleaving_once(first: int, second: int) -> None:
    pair = Program(
        name="pair",
        start=lambda run: [noise(run, first), noise(run, second)],
        broken=lambda run: False,
    )
    search_ = Bounded(max_deviations=20, budget=10_000)
    histories = []
    while search_.begin():
        histories.append(tuple(execute(pair, search_).steps))
        search_.end(failed=False)
    every = comb(first + second + 2, first + 1)  # a task of n points runs n + 1 pieces
    assert len(histories) == len(set(histories)) == every
    certificate = search_.certificate
    assert (certificate.executions, certificate.cut, certificate.ended) == (every, 0.0, True)


def test_reaching_the_bound_is_not_the_end_of_the_space() -> None:
    search_ = Bounded(max_deviations=1, budget=1_000)
    executions = len(search(CORRECT, search_))
    assert search_.certificate == Certificate(level=1, executions=executions, cut=0.0, ended=False)


def test_a_program_without_choices_ends_after_its_default_run() -> None:
    search_ = Bounded(max_deviations=2, budget=1_000)
    alone = Program("alone", lambda run: [noise(run, 5)], lambda run: False)
    assert search(alone, search_) == [Schedule()]
    assert search_.certificate == Certificate(level=0, executions=1, cut=0.0, ended=True)


def test_a_level_cut_by_the_budget_is_sampled_without_repeats_and_never_claimed() -> None:
    whole = search(never(NOISE), Bounded(max_deviations=1, budget=10_000))
    level = len(whole) - 1
    search_ = Bounded(max_deviations=2, budget=1 + level // 2, sample_seed=3)
    schedules = search(never(NOISE), search_)
    assert len(set(schedules)) == len(schedules) == 1 + level // 2
    assert set(schedules) < set(whole)
    certificate = search_.certificate
    assert certificate == Certificate(
        level=0, executions=1 + level // 2, cut=(level // 2) / level, ended=False
    )
    spread = [schedule.tasks[0][0] for schedule in schedules[1:]]
    assert min(spread) < 10
    assert max(spread) > 20


def test_a_certificate_before_the_default_run_claims_nothing() -> None:
    assert Bounded(max_deviations=2, budget=10).certificate == Certificate()
    assert Certificate().level == -1


def test_a_failure_within_a_level_leaves_that_level_unclaimed() -> None:
    search_ = Bounded(max_deviations=3, budget=1_000)
    search(NOISE, search_)
    assert search_.certificate.level == 0
    assert 0.0 < search_.certificate.cut < 1.0
    assert not search_.begin()


@each_strategy
@names(BUGS)
def test_every_schedule_replays_to_the_same_history(program: Program, name: str) -> None:
    strategy = strategies(1)[name]
    deviating = 0
    while strategy.begin():
        run = execute(program, strategy)
        strategy.end(failed=False)
        replay = Replay(strategy.schedule)
        assert replay.begin()
        again = execute(program, replay)
        replay.end(failed=False)
        assert not replay.begin()
        assert (again.steps, again.log) == (run.steps, run.log)
        assert replay.schedule == strategy.schedule
        deviating += strategy.schedule.deviations > 0
    assert (deviating > 0) == (name != "run_until_blocked")


@each_strategy
@names(BUGS)
def test_a_world_that_asks_at_every_choice_gets_the_same_history(
    program: Program, name: str
) -> None:
    lazy, eager = strategies(2)[name], strategies(2)[name]
    while lazy.begin():
        assert eager.begin()
        asked_seldom = execute(program, lazy)
        asked_always = execute(program, eager, lazy=False)
        lazy.end(failed=False)
        eager.end(failed=False)
        assert asked_seldom.steps == asked_always.steps
        assert lazy.schedule == eager.schedule
    assert not eager.begin()


@each_strategy
def test_the_same_seed_gives_the_same_schedules(name: str) -> None:
    once = search(never(NOISE), strategies(7)[name])
    assert once == search(never(NOISE), strategies(7)[name])
    if name != "run_until_blocked":
        assert once != search(never(NOISE), strategies(8)[name])


def test_replay_names_the_choice_whose_option_is_missing() -> None:
    replay = Replay(Schedule(tasks=((1, 4),)))
    replay.begin()
    with pytest.raises(Diverged, match="option 4 at choice 1, but 2 tasks are enabled"):
        execute(LOST_UPDATE, replay)


def test_replay_names_the_data_choice_whose_option_is_missing() -> None:
    replay = Replay(Schedule(data=((1, 2),)))
    replay.begin()
    with pytest.raises(Diverged, match=r"option 2 at data choice 1 \(timeout\), but there are 2"):
        execute(DATA, replay)


@pytest.mark.parametrize(
    ("schedule", "what"),
    [(Schedule(tasks=((999, 1),)), "choice 999"), (Schedule(data=((9, 1),)), "data choice 9")],
)
def test_replay_names_the_choice_that_never_came(schedule: Schedule, what: str) -> None:
    replay = Replay(schedule)
    replay.begin()
    execute(DATA, replay)
    with pytest.raises(Diverged, match=f"takes {what}, but the execution ended before it"):
        replay.end(failed=False)


def test_replay_of_a_failure_may_end_early() -> None:
    replay = Replay(Schedule(tasks=((999, 1),)))
    replay.begin()
    replay.end(failed=True)
    assert replay.schedule == Schedule()


def test_replay_notices_a_world_that_skips_its_choice() -> None:
    replay = Replay(Schedule(tasks=((3, 1), (5, 1))))
    replay.begin()
    with pytest.raises(Diverged, match="choice 3, but the world went on to 4 without asking"):
        replay.choose([0, 1], step=4, forced=False)


def test_lenient_replay_drops_what_is_not_offered_and_tells_what_was_done() -> None:
    replay = Replay(Schedule(tasks=((0, 7), (1, 1), (99, 1))), strict=False)
    replay.begin()
    execute(LOST_UPDATE, replay)
    replay.end(failed=False)
    assert replay.schedule == Schedule(tasks=((1, 1),))


def test_bounded_search_notices_a_program_that_is_not_deterministic() -> None:
    search_ = Bounded(max_deviations=1, budget=100)
    assert search_.begin()
    execute(NOISE, search_)
    search_.end(failed=False)
    assert search_.begin()
    execute(LOST_UPDATE, search_)
    search_.end(failed=False)
    assert search_.begin()
    with pytest.raises(Diverged, match="option 2 at choice 0"):
        execute(LOST_UPDATE, search_)


@names(BUGS)
def test_pct_finds_each_bug(program: Program) -> None:
    for seed in range(10):
        schedules = search(program, Pct(depth=program.fewest + 1, executions=1_500, seed=seed))
        assert len(schedules) < 1_500


def test_pct_beats_its_bound_on_drift() -> None:
    # 2 tasks, 17 choices, depth 2: at least one execution in 34.
    failures = 0
    strategy = Pct(depth=2, executions=1_001, seed=5)
    while strategy.begin():
        failures += DRIFT.broken(execute(DRIFT, strategy))
        strategy.end(failed=False)
    assert failures >= 1_000 / 34


def test_the_plan_of_zeros_runs_tasks_in_birth_order_undisturbed() -> None:
    scheduler = Priorities(PctPlan(ranks=(0,) * 5, changes=(0, 0), data=(0,)))
    assert scheduler.begin()
    run = execute(NOISE, scheduler)
    assert run.steps == sorted(run.steps)
    assert scheduler.schedule == Schedule()
    assert not scheduler.begin()


def test_a_rank_is_how_many_earlier_tasks_a_task_outranks() -> None:
    for ranks, order in [((0, 0, 0), "abc"), ((0, 1, 2), "cba"), ((0, 1, 0), "bac")]:
        scheduler = Priorities(PctPlan(ranks=ranks))
        scheduler.begin()
        assert execute(ORDERS[0], scheduler).log == list(order)


def test_a_change_point_drops_the_running_task_at_that_choice() -> None:
    scheduler = Priorities(PctPlan(changes=(1 + 2,)))
    scheduler.begin()
    run = execute(LOST_UPDATE, scheduler)
    assert run.steps == [0, 0, 1, 1, 1, 0]
    assert scheduler.schedule == Schedule(tasks=((2, 1),))


def test_pct_does_not_starve_the_others_of_a_task_that_yields() -> None:
    def spin(run: Run) -> Task:
        while not run.x:
            yield YIELDS

    def release(run: Run) -> Task:
        yield None
        yield None
        run.x = 1

    program = Program("spin", lambda run: [spin(run), release(run)], lambda run: False)
    scheduler = Priorities(PctPlan(ranks=(0, 0)))
    scheduler.begin()
    assert execute(program, scheduler).steps == [0, 1, 1, 1, 0]


def test_a_task_that_wakes_with_a_higher_priority_preempts() -> None:
    def wait(run: Run) -> Task:
        yield lambda: run.x == 1
        run.log.append("woken")

    def wake(run: Run) -> Task:
        yield None
        run.x = 1
        yield None
        run.log.append("went on")

    program = Program("wake", lambda run: [wait(run), wake(run)], lambda run: False)
    scheduler = Priorities(PctPlan())
    scheduler.begin()
    assert execute(program, scheduler).log == ["woken", "went on"]


@names([LOST_UPDATE, NOISE, TWO_SWITCHES])
def test_a_plan_drawn_from_hypothesis_shrinks_to_the_fewest_deviations(program: Program) -> None:
    def breaks(plan: PctPlan) -> bool:
        scheduler = Priorities(plan)
        scheduler.begin()
        return program.broken(execute(program, scheduler))

    plan = find(
        pct_plans(tasks=5),
        breaks,
        settings=settings(max_examples=2_000, derandomize=True, database=None),
    )
    scheduler = Priorities(plan)
    scheduler.begin()
    execute(program, scheduler)
    assert scheduler.schedule.deviations <= program.fewest
    assert sum(change > 0 for change in plan.changes) <= program.fewest


@names(BUGS)
def test_the_portfolio_finds_each_bug(program: Program) -> None:
    for seed in range(3):
        portfolio = Portfolio(CI, seed=seed)
        schedules = search(program, portfolio)
        assert portfolio.failing == schedules[-1]
        assert sum(portfolio.ran.values()) == len(schedules)


def test_the_portfolio_runs_the_default_then_level_one_then_takes_turns() -> None:
    portfolio = Portfolio(Budget(executions=300, bounded=270, slice=5), seed=0)
    level_one = len(search(never(NOISE), Bounded(max_deviations=1, budget=1_000)))
    by = []
    while portfolio.begin():
        before = portfolio.ran
        execute(NOISE, portfolio)
        portfolio.end(failed=False)
        by += [name for name, ran in portfolio.ran.items() if ran != before.get(name, 0)]
    assert by[:level_one] == ["bounded"] * level_one
    turns = ["pct"] * 5 + ["bounded"] * 5 + ["random"] * 5
    # The first schedule of level 2 ends the phase before the turns.
    assert by[level_one + 1 : level_one + 31] == turns * 2
    assert len(by) == 300
    assert portfolio.certificate.level == 1
    assert portfolio.certificate.executions == portfolio.ran["bounded"]


def test_the_portfolio_stops_when_the_space_has_ended() -> None:
    portfolio = Portfolio(QUICK, seed=0)
    search(never(ORDERS[0]), portfolio)
    assert portfolio.certificate.ended
    assert portfolio.certificate.executions == 6
    assert sum(portfolio.ran.values()) < 50


def test_the_portfolio_keeps_to_its_budget() -> None:
    portfolio = Portfolio(QUICK, seed=0)
    assert len(search(never(NOISE), portfolio)) == QUICK.executions
    assert portfolio.ran["bounded"] <= QUICK.bounded
    assert set(portfolio.ran) == {"bounded", "pct", "random"}


@names([program for program in BUGS if program.fewest])
def test_a_random_failure_is_minimised_to_the_fewest_deviations(program: Program) -> None:
    walk = RandomWalk(executions=10_000, seed=11)
    found = search(program, walk)[-1]
    executions = 0

    def fails(scheduler: Scheduler) -> bool:
        nonlocal executions
        executions += 1
        return program.broken(execute(program, scheduler))

    least = minimise(fails, found, budget=40_000)
    assert least.deviations == program.fewest
    replay = Replay(least)
    replay.begin()
    assert program.broken(execute(program, replay))
    assert executions <= 40_000


def test_minimising_with_a_small_budget_never_returns_a_passing_or_a_worse_schedule() -> None:
    for seed in range(20):
        found = search(THREE_SWITCHES, RandomWalk(executions=10_000, seed=seed))[-1]
        executions = 0

        def fails(scheduler: Scheduler) -> bool:
            nonlocal executions
            executions += 1
            return THREE_SWITCHES.broken(execute(THREE_SWITCHES, scheduler))

        least = minimise(fails, found, budget=12)
        assert executions <= 12
        assert THREE_SWITCHES.fewest <= least.deviations <= found.deviations
        replay = Replay(least)
        replay.begin()
        assert THREE_SWITCHES.broken(execute(THREE_SWITCHES, replay))


def test_minimising_deletes_deviations_where_the_levels_are_too_large_to_search() -> None:
    long = Program(
        "long",
        lambda run: [increment(run, after=30), noise(run, 60), increment(run, after=30)],
        lambda run: run.x != 2,
    )
    found = search(long, RandomWalk(executions=1_000, seed=0))[-1]
    least = minimise(lambda s: long.broken(execute(long, s)), found, budget=60)
    assert least.deviations < found.deviations


def test_a_schedule_without_deviations_is_already_minimal() -> None:
    assert minimise(lambda scheduler: True, Schedule(), budget=10) == Schedule()
